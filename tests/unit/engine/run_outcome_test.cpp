// Goal: what a run ends by is told by one code, one word and one reason, in the summary and in the ledger.

#include "engine/run/run_outcome.hpp"

#include <gtest/gtest.h>

#include "pg/failure.hpp"
#include "telling/failure/interruption.hpp"

namespace pgsluice::engine {
namespace {

struct Stopped : Stop {
  explicit Stopped(StopCause cause) { request(cause, "because"); }
};

RunOutcome end_of(const Stop& stop, const RowCounts& rows = {}) {
  return outcome_of(nullptr, stop, rows, "");
}

std::exception_ptr thrown(const Error& error) {
  return std::make_exception_ptr(error);
}

TEST(RunOutcome, OfARunThatWasNotStoppedIsTheOneOfItsRows) {
  const Stop stop;
  EXPECT_EQ(end_of(stop).code, ExitCode::kDone);
  EXPECT_EQ(end_of(stop).outcome, "done");
  EXPECT_EQ(end_of(stop, {10, 0, 2, 0}).code, ExitCode::kQuarantined);
  const auto unchanged = end_of(stop, {10, 0, 0, 3});
  EXPECT_EQ(unchanged.code, ExitCode::kMismatch);
  EXPECT_EQ(unchanged.outcome, "done, rows unchanged");
  EXPECT_EQ(unchanged.reason.substr(0, 15), "3 rows were sel");
  EXPECT_EQ(outcome_of(nullptr, stop, {10, 0, 0, 3}, "trigger t left them").reason, "trigger t left them");
}

TEST(RunOutcome, OfAStopSaysWhatAskedForIt) {
  const struct {
    StopCause cause;
    ExitCode code;
    JobState state;
  } cases[] = {{StopCause::kSignal, ExitCode::kWorkLeft, JobState::kReady},
               {StopCause::kDuration, ExitCode::kWorkLeft, JobState::kReady},
               {StopCause::kHeldTooLong, ExitCode::kWorkLeft, JobState::kReady},
               {StopCause::kPaused, ExitCode::kPaused, JobState::kReady},
               {StopCause::kCancelled, ExitCode::kCancelled, JobState::kCancelled},
               {StopCause::kReadyForCutover, ExitCode::kReadyForCutOver, JobState::kReady},
               {StopCause::kFailed, ExitCode::kFailed, JobState::kFailed}};
  for (const auto& each : cases) {
    const auto end = end_of(Stopped(each.cause));
    EXPECT_EQ(end.code, each.code);
    EXPECT_EQ(end.reason, "because");
    EXPECT_EQ(job_state(end), each.state);
    EXPECT_FALSE(is_job_done(end));
  }
}

TEST(RunOutcome, OfAnErrorIsTheError) {
  const Error error(ExitCode::kRefused, "no such table", "name another");
  const auto end = outcome_of(thrown(error), Stop(), {}, "");
  EXPECT_EQ(end.code, ExitCode::kRefused);
  EXPECT_EQ(end.outcome, "refused");
  EXPECT_EQ(end.reason, "no such table");
  EXPECT_EQ(end.hint, "name another");
  EXPECT_EQ(job_state(end), JobState::kFailed);
}

TEST(RunOutcome, OfAVerifyThatFailsIsNoJobThatIsDone) {
  const Error mismatch(ExitCode::kMismatch, "expects 0 and found 1", "");
  const auto end = outcome_of(thrown(mismatch), Stop(), {10, 0, 0, 3}, "");
  EXPECT_EQ(end.outcome, "verify mismatch");
  EXPECT_FALSE(is_job_done(end));
}

TEST(RunOutcome, OfWhatTheStopCutShortIsTheStop) {
  const Stopped stop(StopCause::kSignal);
  const auto cut = std::make_exception_ptr(cut_short(stop));
  EXPECT_FALSE(failure_of(cut, stop));
  EXPECT_EQ(outcome_of(cut, stop, {}, "").code, ExitCode::kWorkLeft);
  EXPECT_TRUE(failure_of(cut, Stop())) << "nobody asked it to stop";
}

TEST(RunOutcome, AServerThatPutsUsOffIsNoFailureOfARunThatWasToldToStop) {
  const auto put_off = thrown(Error(ExitCode::kWorkLeft, "the server cannot serve us", ""));
  EXPECT_FALSE(failure_of(put_off, Stopped(StopCause::kDuration)));
  EXPECT_TRUE(failure_of(put_off, Stopped(StopCause::kFailed)));
  EXPECT_TRUE(failure_of(put_off, Stop()));
}

TEST(RunOutcome, WhatIsNoErrorOfOursIsInternal) {
  const auto odd = std::make_exception_ptr(std::runtime_error("odd"));
  EXPECT_EQ(outcome_of(odd, Stop(), {}, "").code, ExitCode::kInternal);
}

TEST(RunOutcome, AJobWithQuarantinedOrUnchangedRowsIsDone) {
  EXPECT_EQ(job_state(end_of(Stop(), {10, 0, 2, 0})), JobState::kDone);
  EXPECT_EQ(job_state(end_of(Stop(), {10, 0, 0, 3})), JobState::kDone);
}

TEST(RunOutcome, OfARollbackIsNoFaultWhereTheApplicationChangedRows) {
  const Stop stop;
  const auto end_of = [&](const RowsNotRestored& left) {
    return rollback_outcome_of(nullptr, stop, left, "j");
  };
  EXPECT_EQ(end_of({}).code, ExitCode::kDone);
  EXPECT_EQ(end_of({}).outcome, "rolled back");
  EXPECT_EQ(end_of({}).hint, "");
  EXPECT_EQ(end_of({3, 0}).code, ExitCode::kDone);
  EXPECT_EQ(end_of({3, 0}).reason, "3 rows were changed since or are gone, and stay as they are");
  EXPECT_EQ(end_of({3, 0}).hint, "pgsluice failures j lists them");
  EXPECT_EQ(end_of({3, 2}).code, ExitCode::kQuarantined);
  EXPECT_EQ(end_of({0, 2}).reason, "2 rows could not be given their old value");
}

TEST(RunOutcome, OfARollbackThatWasStoppedIsWorkLeft) {
  const auto end = rollback_outcome_of(nullptr, Stopped(StopCause::kSignal), {3, 2}, "j");
  EXPECT_EQ(end.code, ExitCode::kWorkLeft);
  EXPECT_EQ(end.reason, "because");
  const Error error(ExitCode::kRefused, "no such table", "name another");
  EXPECT_EQ(rollback_outcome_of(thrown(error), Stop(), {}, "j").reason, "no such table");
}

}  // namespace
}  // namespace pgsluice::engine
