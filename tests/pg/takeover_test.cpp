// Proves that the replacement of a run that died without a word, in a container of its own, takes its work up
// when the lease ends: it never leaves as if somebody else were at work.
#include <gtest/gtest.h>

#include "pg/held_work.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Longer than a second run waits for the first one to end by itself, shorter than the 15 s of a real lease.
constexpr seconds kLease{8};
constexpr seconds kPromised{2};
constexpr seconds kWork{4};  // what is left, on two busy cores under ASan

/// As a run in a container that nobody can look into.
void make_foreign(HeldWork& held) {
  held.trial().db().exec(
      "UPDATE pgsluice.run SET boot = 'elsewhere', lease_until = now() + interval '8 s' WHERE ended_at IS "
      "NULL");
}

class TakeoverTest : public ::testing::TestWithParam<Work> {
 protected:
  HeldWork held_{SharedServer::get(), GetParam()};
};

TEST_P(TakeoverTest, WaitsForTheLeaseAndGoesOn) {
  const auto process = held_.start();
  process->kill();
  make_foreign(held_);
  held_.release();
  const auto began = Clock::now();
  held_.expect_rest();
  EXPECT_LT(Clock::now() - began, kLease + kPromised + kWork);
  // What ends in one transaction is done again at once: the one that died with its session is gone.
  if (GetParam() == Work::kRetypeCutOver) return;
  EXPECT_GT(Clock::now() - began, kLease - seconds{1}) << "it was held until then";
}

INSTANTIATE_TEST_SUITE_P(Work, TakeoverTest, ::testing::ValuesIn(all_works()),
                         [](const auto& of) { return name_of(of.param); });

TEST(Takeover, OfManyLanes) {
  HeldWork held(SharedServer::get(), Work::kFill);
  const auto process = held.start({"--lanes", "16"});
  process->kill();
  make_foreign(held);
  held.expect_rest();
}

}  // namespace
}  // namespace pgsluice::test
