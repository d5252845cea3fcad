// Proves that a COMMIT which waits for a standby is told and looked for, and that time limits do not wait for
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/counted_job.hpp"
#include "pg/no_standby.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kReason = "COMMIT has been waiting for a synchronous standby for ";

class StandbyWait : public ::testing::Test {
 protected:
  void SetUp() override {
    job_.db().exec("SET synchronous_commit = local");
    job_.slow_down(milliseconds{20});
  }

  static bool has(const Process& process, const std::string& text) {
    return process.out().find(text) != std::string::npos;
  }

  PrivateServer server_;
  CountedJob job_{server_, {.rows = 10'000}};
};

TEST_F(StandbyWait, IsAHoldWithItsReasonAndTheRunGoesOn) {
  const auto process = job_.start();
  job_.await_batches(6);
  {
    const NoStandby gone(server_);
    wait_for([&] { return has(*process, kReason); }, "the hold");
    const auto is_in_status = [&] {
      return job_.trial().verb("status").out.find(kReason) != std::string::npos;
    };
    wait_for(is_in_status, "the hold in status");
  }
  job_.slow_down(milliseconds{0});
  EXPECT_EQ(process->wait().code, 0) << process->out() << process->err();
  job_.expect_finished();
}

TEST_F(StandbyWait, IsToldByARunThatStartsMeanwhile) {
  const NoStandby gone(server_);
  const auto process = job_.start();
  wait_for([&] { return has(*process, kReason); }, "the hold");
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait(seconds{10}).code, 75) << process->out() << process->err();
}

TEST_F(StandbyWait, EndsWithTheTimeThatTheRunHas) {
  const auto process = job_.start({"--for", "4s"});
  job_.await_batches(6);
  {
    const NoStandby gone(server_);
    EXPECT_EQ(process->wait(seconds{15}).code, 75) << process->out() << process->err();
  }
  job_.slow_down(milliseconds{0});
  job_.expect_run(0);
  job_.expect_finished();
}

TEST_F(StandbyWait, IsForeseenByCheck) {
  const NoStandby gone(server_);
  const auto found = job_.trial().verb("check").out;
  EXPECT_THAT(found, HasSubstr("of the 1 that a COMMIT waits for none is connected"));
}

// The control connection among them.
TEST_F(StandbyWait, TimeLimitsNeedNoServer) {
  const auto process = job_.start({"--for", "4s", "--grace", "1s"});
  job_.await_batches(6);
  server_.freeze();
  const auto exit = process->wait(seconds{15});
  server_.thaw();
  EXPECT_EQ(exit.code, 75) << process->out() << process->err();
  EXPECT_THAT(process->out(), HasSubstr("\"type\":\"summary\""));
  job_.slow_down(milliseconds{0});
  job_.expect_run(0);
  job_.expect_finished();
}

}  // namespace
}  // namespace pgsluice::test
