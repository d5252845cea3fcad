// Proves that a run ends when it is told to, whatever it has in work: from SIGTERM until no server process of
// ours is left it takes the grace and a second at most, also when the server is frozen, when the work waits
// for a lock or its COMMIT for a standby; a run that was killed leaves nothing at work; somebody's cancel is
// obeyed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "pg/held_work.hpp"
#include "pg/no_standby.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kGrace{1'000};
constexpr milliseconds kPromised{1'000};
constexpr milliseconds kNoise{1'500};  // two busy cores under ASan: the program's own exit takes a part of it
constexpr seconds kAfterKill{10};

/// One for all, as each change of a setting is taken back.
PrivateServer& server() {
  static PrivateServer one;
  return one;
}

class Frozen {
 public:
  Frozen() { server().freeze(); }
  ~Frozen() { thaw(); }
  void thaw() {
    if (is_frozen_) server().thaw();
    is_frozen_ = false;
  }

 private:
  bool is_frozen_ = true;
};

class EndsTest : public ::testing::TestWithParam<Work> {
 protected:
  void SetUp() override { held_ = std::make_unique<HeldWork>(server(), GetParam()); }

  const std::vector<std::string> grace_{"--grace", "1s"};

  void row(const std::string& state, Clock::time_point told) {
    std::cout << "[ measured ] " << name_of(GetParam()) << ", " << state << ": "
              << duration_cast<milliseconds>(Clock::now() - told).count() << " ms\n";
  }

  void expect_end(Process& process, const std::string& state, int code = 75) {
    const auto told = Clock::now();
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait().code, code) << process.out() << process.err();
    held_->await_no_backend(seconds{30});
    row(state, told);
    EXPECT_LT(Clock::now() - told, kGrace + kPromised + kNoise) << process.out() << process.err();
    EXPECT_TRUE(held_->are_runs_closed());
  }

  std::unique_ptr<HeldWork> held_;
};

TEST_P(EndsTest, WithinTheGraceAndASecond) {
  const auto process = held_->start(grace_);
  expect_end(*process, "healthy");
  // A batch ends by its own timeout, and drains.
  EXPECT_TRUE(GetParam() == Work::kFill ||
              process->out().find("cancelled on the server") != std::string::npos)
      << process->out();
  held_->expect_rest();
}

TEST_P(EndsTest, AtOnceAtTheSecondSignal) {
  const auto process = held_->start({"--grace", "60s"});
  process->signal(SIGHUP);
  wait_for([&] { return process->out().find("draining") != std::string::npos; }, "the drain");
  expect_end(*process, "second signal, the first SIGHUP");
}

TEST_P(EndsTest, WhileTheServerIsFrozen) {
  const auto process = held_->start(grace_);
  Frozen frozen;
  const auto told = Clock::now();
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait().code, 75) << process->out() << process->err();
  row("frozen, its process", told);
  EXPECT_LT(Clock::now() - told, kGrace + kPromised + kNoise);
  EXPECT_THAT(process->out(), HasSubstr("has not answered since it was told to cancel"));
  const auto thawed = Clock::now();
  frozen.thaw();
  held_->await_no_backend(seconds{30});
  row("thawed, its backends", thawed);
  EXPECT_LT(Clock::now() - thawed, kPromised + kNoise);
  held_->expect_rest();
}

TEST(Frozen, KeepsTheExitCodeThatAsksToComeAgain) {
  HeldWork held(server(), Work::kSql);
  const auto process = held.start({"--grace", "1s", "--yield-exit-code", "99"});
  Frozen frozen;
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait().code, 99) << process->out() << process->err();
  EXPECT_THAT(process->out(), HasSubstr("\"exit_code\":75"));
  frozen.thaw();
  held.await_no_backend(seconds{30});
  held.expect_rest();
}

TEST_P(EndsTest, BehindALock) {
  held_->lock();
  const auto process = held_->start_released(grace_);
  wait_for([&] { return held_->is_waiting_for("Lock"); }, "a lock wait");
  expect_end(*process, "behind a lock");
  held_->unlock();
  held_->expect_rest();
}

TEST_P(EndsTest, InASynchronousWait) {
  const auto process = held_->start(grace_);
  {
    const NoStandby gone(server());
    held_->release();
    wait_for([&] { return held_->is_waiting_for("SyncRep"); }, "a COMMIT that waits");
    expect_end(*process, "synchronous wait");
  }
  held_->expect_rest();
}

TEST_P(EndsTest, LeavingNothingAtWorkWhenItIsKilled) {
  const auto process = held_->start(grace_);
  const auto told = Clock::now();
  process->kill();
  held_->await_no_backend(kAfterKill);
  row("killed", told);
  held_->expect_rest();
}

TEST_P(EndsTest, WithAMessageWhenSomebodyCancelsIt) {
  const auto process = held_->start();
  // A batch may end by its own timeout just then.
  wait_for([&] { return !process->running() || held_->cancel_at_work() == 0; }, "the cancel");
  EXPECT_EQ(process->wait().code, 1) << process->out() << process->err();
  EXPECT_THAT(process->out(),
              AllOf(HasSubstr("cancelled on the server by somebody else"), HasSubstr("work")));
  EXPECT_EQ(held_->at_work(), 0);
  held_->expect_rest();
}

TEST_P(EndsTest, AtOnceWhenAnOperatorCancelsTheJob) {
  const auto process = held_->start({"--grace", "60s"});
  const auto told = Clock::now();
  EXPECT_EQ(held_->trial().verb("cancel").code(), 0);
  EXPECT_EQ(process->wait().code, 7) << process->out() << process->err();
  held_->await_no_backend(seconds{30});
  row("pgsluice cancel", told);
  EXPECT_LT(Clock::now() - told, seconds{10});
  EXPECT_EQ(held_->trial().verb("resume").code(), 0);
  held_->expect_rest();
}

/// Nothing is in work on the server while transactions of others are waited for.
TEST(Fence, EndsInTimeToo) {
  for (const bool is_frozen : {false, true}) {
    HeldWork held(server(), Work::kRetypeColumn);
    const auto process = held.start_at_fence({"--grace", "1s"});
    std::optional<Frozen> frozen;
    if (is_frozen) frozen.emplace();
    const auto told = Clock::now();
    process->signal(SIGTERM);
    EXPECT_EQ(process->wait().code, 75) << process->out() << process->err();
    std::cout << "[ measured ] Fence, " << (is_frozen ? "frozen" : "healthy") << ": "
              << duration_cast<milliseconds>(Clock::now() - told).count() << " ms\n";
    EXPECT_LT(Clock::now() - told, kGrace + kPromised + kNoise);
    frozen.reset();
    held.await_no_backend(seconds{30});
    held.unlock();
    held.expect_rest();
  }
}

TEST(Opening, EndsInTimeToo) {
  HeldWork held(server(), Work::kSql);
  Db locker(held.trial().dsn());
  locker.exec("BEGIN; LOCK TABLE t");  // the preflight reads it
  const auto process = held.start_released({"--grace", "1s"});
  wait_for([&] { return held.is_waiting_for("Lock"); }, "a lock wait");
  const auto told = Clock::now();
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait().code, 75) << process->out() << process->err();
  held.await_no_backend(seconds{30});
  EXPECT_LT(Clock::now() - told, kGrace + kPromised + kNoise);
}

// The acts of an operator outside a run have no grace: their process ends by the signal. A rollback is a run.
class ActsTest : public ::testing::TestWithParam<int> {
 protected:
  /// Leaves nothing at work, and nothing that another attempt stumbles over.
  void expect_end(HeldWork& held, const std::string& verb, const std::string& pattern) {
    const auto process = held.start_verb(verb, pattern);
    const auto told = Clock::now();
    process->signal(GetParam());
    EXPECT_EQ(process->wait().signal, GetParam());
    held.await_no_backend(seconds{30});
    std::cout << "[ measured ] " << verb << ", signal " << GetParam() << ": "
              << duration_cast<milliseconds>(Clock::now() - told).count() << " ms\n";
    EXPECT_LT(Clock::now() - told, kPromised + kNoise);
    held.release();
  }

  void expect_end_of_rollback(HeldWork& held, const std::string& pattern) {
    const auto process = held.start_verb("rollback", pattern, {"--grace", "1s"});
    const auto told = Clock::now();
    process->signal(GetParam());
    const auto exit = process->wait();
    if (GetParam() == SIGKILL) {
      EXPECT_EQ(exit.signal, SIGKILL);
    } else {
      EXPECT_EQ(exit.code, 75) << process->out() << process->err();
    }
    held.await_no_backend(seconds{30});
    std::cout << "[ measured ] rollback, signal " << GetParam() << ": "
              << duration_cast<milliseconds>(Clock::now() - told).count() << " ms\n";
    EXPECT_LT(Clock::now() - told, kGrace + kPromised + kNoise);
    held.release();
  }
};

TEST_P(ActsTest, OfVerify) {
  HeldWork held(server(), Work::kVerify);
  expect_end(held, "verify", "");
  held.expect_rest();
}

TEST_P(ActsTest, OfARetype) {
  HeldWork held(server(), Work::kRetypeColumn);
  held.expect_rest();  // ready for the cut-over
  expect_end(held, "cutover", "RENAME COLUMN");
  EXPECT_EQ(held.trial().verb("cutover").code(), 0);
  expect_end_of_rollback(held, "RENAME COLUMN");
  EXPECT_EQ(held.trial().verb("rollback").code(), 0);
  held.expect_rest();
  EXPECT_EQ(held.trial().verb("cutover").code(), 0);
  expect_end(held, "contract", "DROP COLUMN");
  EXPECT_EQ(held.trial().verb("contract").code(), 0);
}

INSTANTIATE_TEST_SUITE_P(Signal, ActsTest, ::testing::Values(SIGTERM, SIGHUP, SIGKILL));

INSTANTIATE_TEST_SUITE_P(Work, EndsTest, ::testing::ValuesIn(all_works()),
                         [](const auto& of) { return name_of(of.param); });

}  // namespace
}  // namespace pgsluice::test
