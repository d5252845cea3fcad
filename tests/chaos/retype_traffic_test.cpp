// Goal: a retype from start to contract, with kills and second thoughts, loses no write of the application,
// leaves no orphan, and fails none of its transactions. Method: pgbench writes to five tables and their twins
// all the while; the real program is run, killed, cut over, rolled back and contracted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "chaos/journal_traffic.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::system_clock;
using testing::IsEmpty;

const int kUsers = long_run() ? 3'000 : 200;

/// What a cut-over or its way back was to the application.
struct Locking {
  std::string verb;
  Clock::time_point began, ended;
  std::string locked;  // as the program says it
};

std::string locked_for(const Finished& finished) {
  for (const auto& state : events_of(finished.out, "state")) {
    const auto reason = state.value("reason", "");
    if (const auto at = reason.find("locked for "); at != std::string::npos) return reason.substr(at + 11);
  }
  return "?";
}

/// Transactions that ended while the program worked, or in the second after.
void tell(const Locking& by, const TrafficResult& noticed) {
  std::vector<double> ms;
  for (const auto& served : noticed.served) {
    if (served.ended > by.began && served.ended < by.ended + std::chrono::seconds(1)) ms.push_back(served.ms);
  }
  ASSERT_THAT(ms, testing::Not(IsEmpty()));
  std::sort(ms.begin(), ms.end());
  std::cout << by.verb << ": tables locked for " << by.locked << "; " << ms.size()
            << " transactions meanwhile, p99 " << ms[ms.size() * 99 / 100] << " ms, longest " << ms.back()
            << " ms\n";
  EXPECT_LT(ms.back(), 5'000) << by.verb;
}

class RetypeTraffic : public testing::Test {
 protected:
  static void retype(Journals& journals, const std::string& lines) {
    journals.trial().job(
        "name = \"ids\"\n[batch]\nrows = 100\nrows_min = 20\nrows_max = 200\n[[step]]\nkind = \"retype\"\n"
        "name = \"ids\"\ntables = [\"users\", \"journals\", \"tags\", \"reminders\", \"secret_tags\"]\n" +
        lines);
  }
  static void retype_to_uuid(Journals& journals, const std::string& mapping) {
    retype(journals, "to = \"uuid\"\nnew_ids = \"gen_random_uuid()\"\nmapping = \"" + mapping + "\"\n");
  }

  /// An application begins to write.
  void begin(bool with_early_children = true) {
    traffic_.start_neutral();
    traffic_.start_shaped(Shape::kInteger, with_early_children);
    traffic_.await_shaped(1);
  }

  Finished expect(const std::string& verb, int code) { return journals_.expect(verb, code); }

  /// Runs `cutover` or `rollback` with no statement of either shape under way; then those of the other begin.
  void change_shape(const std::string& verb, Shape next, bool with_early_children = true) {
    traffic_.stop_shaped();
    const auto began = Clock::now();
    const auto finished = expect(verb, 0);
    lockings_.push_back({verb, began, Clock::now(), locked_for(finished)});
    traffic_.start_shaped(next, with_early_children);
    traffic_.await_shaped(long_run() ? 50 : 2);
  }

  void expect_end() {
    traffic_.stop_shaped();
    const auto noticed = traffic_.stop_neutral();
    traffic_.expect_as_twins();
    for (const auto& by : lockings_) tell(by, noticed);
    expect("verify", 0);
    expect("run", 0);
  }

  Journals journals_{kUsers};
  JournalTraffic traffic_{journals_};
  std::vector<Locking> lockings_;
  std::vector<std::string> schema_before_ = schema_of(journals_.trial());
};

TEST_F(RetypeTraffic, ThereAndBackAndThereLosesNoWriteAndFailsNone) {
  retype_to_uuid(journals_, "embed");
  begin();
  for (int cycle = 0; cycle < (long_run() ? 10 : 1); ++cycle) {
    expect("run", 9);
    EXPECT_EQ(journals_.key_type(), "integer");
    change_shape("cutover", Shape::kUuid);
    EXPECT_EQ(journals_.key_type(), "uuid");
    if (long_run() && cycle == 0) traffic_.await_shaped(4'800);  // ten minutes
    expect("verify", 0);
    change_shape("rollback", Shape::kInteger);
    EXPECT_EQ(journals_.key_type(), "integer");
    EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
    EXPECT_EQ(schema_of(journals_.trial()), schema_before_);
  }
  expect("run", 9);
  change_shape("cutover", Shape::kUuid);
  expect("contract", 0);
  EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
  expect_end();
}

// A child's new key is its parent's, drawn before: what is written while parents are filled must not be
// missed.
TEST_F(RetypeTraffic, KeysThatAreDrawnLoseNoWriteEither) {
  retype_to_uuid(journals_, "random");
  begin(false);
  expect("run", 9);
  change_shape("cutover", Shape::kUuid);
  change_shape("rollback", Shape::kInteger, false);
  expect("run", 9);
  change_shape("cutover", Shape::kUuid);
  expect("contract", 0);
  expect_end();
}

// The shape of statements stays, so the application never pauses.
TEST_F(RetypeTraffic, WiderIntegersNeedNoOtherStatements) {
  retype(journals_, "to = \"bigint\"\n");
  begin();
  for (int cycle = 0; cycle < (long_run() ? 5 : 0); ++cycle) {
    expect("run", 9);
    expect("cutover", 0);
    EXPECT_EQ(journals_.key_type(), "bigint");
    traffic_.await_shaped(2);
    expect("rollback", 0);
    EXPECT_EQ(journals_.key_type(), "integer");
  }
  expect("run", 9);
  expect("cutover", 0);
  traffic_.await_shaped(2);
  expect("contract", 0);
  expect_end();
}

// ----- kills

class RetypeTrafficKilled : public RetypeTraffic {
 protected:
  void die_at(const std::string& verb, const std::string& place, int passes = 1) {
    journals_.die_at(verb, place + ":" + std::to_string(random(1, passes)));
    ++kills_;
  }

  void die_at_a_random_moment(const std::string& verb) {
    Process process(journals_.trial().command(verb));
    std::this_thread::sleep_for(milliseconds(random(100, 1'200)));
    kills_ += process.kill().signal == SIGKILL ? 1 : 0;
  }

  /// Through all kinds of acts, up to ready.
  void run_with_kills() {
    die_at("run", "after_ddl", 5);
    die_at("run", "after_update", 3);
    die_at("run", "after_step", 5);
    die_at("run", "after_index", 6);
    die_at("run", "after_ddl_commit", 6);
    die_at_a_random_moment("run");
    expect("run", 9);
  }

  int random(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  std::mt19937_64 random_ = seeded_random();
  int kills_ = 0;
};

/// Roles belong to the server, so their names differ.
std::vector<std::string> without_role(std::vector<std::string> schema, const std::string& role) {
  for (auto& statement : schema) {
    for (auto at = statement.find(role); at != std::string::npos; at = statement.find(role))
      statement.replace(at, role.size(), "the role");
  }
  std::sort(schema.begin(), schema.end());
  return schema;
}

TEST_F(RetypeTrafficKilled, AtAnyActTheNextStartGoesOnAndTheEndIsThatOfAnUndisturbedOne) {
  retype_to_uuid(journals_, "embed");
  begin();
  for (int cycle = 0; cycle < (long_run() ? 4 : 1); ++cycle) {
    run_with_kills();
    traffic_.stop_shaped();
    die_at("cutover", "cutover_locked");
    die_at("cutover", random(0, 1) ? "cutover_before_commit" : "cutover_committed");
    if (journals_.key_type() != "uuid") expect("cutover", 0);
    // While old columns are proved no child may come before its parent.
    traffic_.start_shaped(Shape::kUuid, false);
    traffic_.await_shaped(2);
    die_at("rollback", "way_back_act", 30);
    traffic_.await_shaped(1);
    traffic_.stop_shaped();
    die_at("rollback", random(0, 1) ? "cutover_before_commit" : "rollback_before_note");
    expect("rollback", 0);
    EXPECT_EQ(schema_of(journals_.trial()), schema_before_);
    traffic_.start_shaped(Shape::kInteger);
    traffic_.await_shaped(1);
  }
  expect("run", 9);
  change_shape("cutover", Shape::kUuid);
  die_at("contract", "cutover_before_commit");
  die_at("contract", "cutover_committed");
  EXPECT_GE(kills_, long_run() ? 30 : 8);
  expect_end();

  Journals undisturbed(kUsers);
  JournalTraffic without_traffic(undisturbed);
  retype_to_uuid(undisturbed, "embed");
  undisturbed.expect("run", 9);
  undisturbed.expect("cutover", 0);
  undisturbed.expect("contract", 0);
  EXPECT_EQ(without_role(schema_of(journals_.trial()), traffic_.role()),
            without_role(schema_of(undisturbed.trial()), without_traffic.role()));
  EXPECT_THAT(traces_of(journals_.trial()), IsEmpty());
}

// ----- others on the tables

TEST_F(RetypeTraffic, ACutoverWaitsForALongTransactionWithoutHoldingUpTheApplication) {
  retype_to_uuid(journals_, "embed");
  begin();
  expect("run", 9);
  traffic_.stop_shaped();
  Db holder(journals_.trial().dsn());
  holder.exec("BEGIN; SELECT count(*) FROM tags");
  const auto began = Clock::now();
  Process cutover(journals_.trial().command("cutover"));
  const auto tries = [&] { return journals_.trial().logged("batch_failed").size(); };
  const auto before = tries();
  wait_for([&] { return tries() >= before + (long_run() ? 8 : 3); }, "the cut-over to try again");
  EXPECT_THAT(journals_.trial().logged("batch_failed").back().value("message", ""),
              testing::HasSubstr("pid " + std::to_string(holder.backend_pid())));
  holder.exec("COMMIT");
  EXPECT_EQ(cutover.wait(), (Exit{0, 0})) << cutover.out() << cutover.err();
  lockings_.push_back({"cutover behind a long transaction", began, Clock::now(),
                       locked_for({{}, cutover.out(), cutover.err()})});
  traffic_.start_shaped(Shape::kUuid);
  traffic_.await_shaped(2);
  expect_end();
}

TEST_F(RetypeTraffic, ACutoverGetsPastAnAutovacuum) {
  SharedServer::get().set("autovacuum_naptime", "1s");
  journals_.db().exec(
      "ALTER TABLE journals SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
      " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)");
  retype_to_uuid(journals_, "embed");
  begin();
  expect("run", 9);
  const auto is_vacuuming = [&] {
    return journals_.db().yes(
        "SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE relid = 'journals'::regclass)");
  };
  wait_for(is_vacuuming, "an autovacuum");
  change_shape("cutover", Shape::kUuid);
  wait_for(is_vacuuming, "another autovacuum");
  change_shape("rollback", Shape::kInteger);
  SharedServer::get().set("autovacuum_naptime", "1min");
  traffic_.stop_shaped();
  const auto noticed = traffic_.stop_neutral();
  traffic_.expect_as_twins();
  for (const auto& by : lockings_) tell(by, noticed);
}

}  // namespace
}  // namespace pgsluice::test
