// Goal: the ledger is told of a step that failed, and of none that was only interrupted.

#include <gtest/gtest.h>

#include "telling/failure/interruption.hpp"
#include "telling/step/step_states.hpp"

namespace pgsluice::engine {
namespace {

struct Stopped : Stop {
  explicit Stopped(StopCause cause) { request(cause, "because"); }
};

TEST(StepOutcome, IsDoneUnlessSomethingSaysOtherwise) {
  EXPECT_EQ(step_outcome(nullptr, Stop()), "done");
  EXPECT_EQ(step_outcome(nullptr, Stopped(StopCause::kSignal)), "interrupted");
  EXPECT_EQ(step_outcome(nullptr, Stopped(StopCause::kReadyForCutover)), "ready for cut-over");
}

TEST(StepOutcome, IsInterruptedByACancelOfOursAndFailedByAnythingElse) {
  const Stopped stop(StopCause::kSignal);
  EXPECT_EQ(step_outcome(std::make_exception_ptr(cut_short(stop)), stop), "interrupted");
  EXPECT_EQ(step_outcome(std::make_exception_ptr(Error(ExitCode::kFailed, "no")), stop), "failed");
}

TEST(FirstFailure, IsTheFirst) {
  FirstFailure failure;
  EXPECT_FALSE(failure.error());
  failure.note(std::make_exception_ptr(Error(ExitCode::kFailed, "first")));
  failure.note(std::make_exception_ptr(Error(ExitCode::kFailed, "second")));
  try {
    std::rethrow_exception(failure.error());
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "first");
  }
}

}  // namespace
}  // namespace pgsluice::engine
