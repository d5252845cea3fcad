// Goal: a retype either is refused before its first write or loses nothing, whatever the types, the values
// and the application's writes are. Method: random cases, each beside a twin that ALTER TABLE changes in
// plain sight. PGSLUICE_SEED repeats a run, PGSLUICE_CASE one case of it by its number.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "pg/retype_case.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

const int kLanes = 4;             // a case mostly waits, for the program and for the server
const int kCasesInDatabase = 50;  // enough for jobs to meet what others left, few enough for quick catalogs

struct Tally {
  std::array<int, 3> endings{};  // by Ending
  std::vector<std::string> returned{};
  std::vector<std::string> broken{};
};

/// What the cases are drawn from; the same for each of them.
struct Pairs {
  ListedPairs listed;
  std::vector<CastPair> unlisted;
};

/// One of pg_cast. A third of its pairs have to do with names of objects (regclass and the like) and with
/// ids: much of the same.
CastPair random_listed_pair(const std::vector<CastPair>& listed, Random& random) {
  const auto pair = one_of(random, listed);
  const bool is_of_objects = pair.from.sql.starts_with("reg") || pair.to.sql.starts_with("reg");
  return is_of_objects && chance(random, 70) ? one_of(random, listed) : pair;
}

CastPair random_pair(const Pairs& pairs, int number, Random& random) {
  if (number % 3 == 1) return random_modifier_pair(random);
  auto pair =
      number % 3 == 0 ? random_listed_pair(pairs.listed.pairs, random) : one_of(random, pairs.unlisted);
  if (chance(random, 50)) pair = with_modifiers(pair, random);
  return pair;
}

/// As an operator may write it who trusts no default.
CastPair with_expressions(CastPair pair, Random& random) {
  if (!pair.forth.empty() || !chance(random, 35)) return pair;
  pair.forth = "c::" + pair.to.sql;
  if (chance(random, 50)) pair.back = "c::" + pair.from.sql;
  return pair;
}

class Cases {
 public:
  Cases(std::uint64_t seed, int count, Pairs pairs) : seed_(seed), count_(count), pairs_(std::move(pairs)) {}

  Tally play() {
    std::vector<std::jthread> lanes;
    for (int lane = 0; lane < kLanes; ++lane) lanes.emplace_back([this] { play_lane(); });
    lanes.clear();
    return tally_;
  }

  /// In the calling thread, with what it did.
  void play_one(Trial& trial, int number, bool is_told = false) {
    std::seed_seq seed{seed_ & 0xffffffff, seed_ >> 32, static_cast<std::uint64_t>(number)};
    Random random(seed);
    const auto pair = with_expressions(random_pair(pairs_, number, random), random);
    RetypeCase played(trial, pair, number, random);
    try {
      const auto ending = played.play();
      if (is_told) std::cout << played.story() << "\n";
      const std::scoped_lock lock(mutex_);
      ++tally_.endings.at(static_cast<std::size_t>(ending));
      if (ending != Ending::kCarried) {
        tally_.returned.push_back(std::to_string(number) + " " + played.title() + ": " + played.reason());
      }
    } catch (const std::exception& error) {
      const std::scoped_lock lock(mutex_);
      tally_.broken.push_back("case " + std::to_string(number) + ": " + error.what() + "\n" + played.story());
    }
  }

  const Tally& tally() const { return tally_; }

 private:
  void play_lane() {
    for (int number = next_++; number < count_;) {
      Trial trial;
      create_pair_types(trial.db());
      for (int n = 0; n < kCasesInDatabase && number < count_; ++n, number = next_++) play_one(trial, number);
    }
  }

  const std::uint64_t seed_;
  const int count_;
  const Pairs pairs_;
  std::atomic<int> next_{0};
  std::mutex mutex_;
  Tally tally_;
};

Pairs pairs_of_server(Trial& trial) {
  create_pair_types(trial.db());
  return {listed_pairs(trial.db()), unlisted_pairs(trial.db())};
}

void report(const Tally& tally) {
  for (const auto& text : tally.returned) std::cout << "not carried through: case " << text << "\n";
  const std::size_t shown = 10;
  for (std::size_t n = 0; n < tally.broken.size(); ++n) {
    const auto& text = tally.broken[n];
    ADD_FAILURE() << (n < shown ? text : text.substr(0, text.find('\n')));
  }
}

TEST(RetypeProperty, EveryPairIsRefusedOrLosesNothingThereAndBack) {
  auto random = seeded_random();
  Trial trial;  // also starts the server, which must not end with a lane's thread
  const char* only = std::getenv("PGSLUICE_CASE");
  const int count = long_run() ? 2100 : 60;
  const auto pairs = pairs_of_server(trial);
  Cases cases(random(), count, pairs);
  if (only != nullptr) {
    cases.play_one(trial, std::stoi(only), true);
    return report(cases.tally());
  }
  const auto tally = cases.play();
  const auto& [refused, unmapped, carried] = tally.endings;
  std::cout << count << " cases, of pg_cast's pairs " << pairs.listed.pairs.size() << " known and "
            << pairs.listed.without_values << " not: " << refused << " refused (" << 100 * refused / count
            << " %), " << unmapped << " with rows that cannot be mapped, " << carried << " carried through, "
            << tally.broken.size() << " broken\n";
  report(tally);
  EXPECT_GE(3 * carried, count) << "a test of refusals proves little";
}

}  // namespace
}  // namespace pgsluice::test
