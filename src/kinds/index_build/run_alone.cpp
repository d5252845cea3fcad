#include "kinds/index_build/run_alone.hpp"

#include "kinds/ddl/ddl.hpp"
#include "kinds/index_build/index.hpp"
#include "pg/sqlstate.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kNoTimeout{0};  // for statements that may take long
constexpr std::chrono::seconds kRetryWait{1};

/// What to throw for the failure; nullptr if it may be tried again, or the run is to stop.
std::exception_ptr error_for_good(const RunningStep& step, const pg::Failure& failure, int attempt) {
  const auto subject = "step \"" + step.record.name + "\"";
  if (failure.is_somebodys_cancel(kNoTimeout))
    return std::make_exception_ptr(cancelled_by_somebody(
        subject, failure, "an INVALID leftover is dropped, and the statement starts again"));
  const bool is_retryable =
      failure.disposition() == pg::Disposition::kRetryable && attempt < steps::kDdlAttempts;
  if (is_retryable || step.stop.is_requested()) return nullptr;
  return std::make_exception_ptr(
      Error(exit_code_of(failure.sqlstate()),
            subject + " failed: " + failure.what() + " (SQLSTATE " + failure.sqlstate() + ")",
            "correct it and run again: an INVALID leftover is dropped first"));
}

}  // namespace

asio::awaitable<void> run_alone(RunningStep& step, pg::Connection& own, AloneStatement statement) {
  step.journal.write(event::Statement{step.record.name, statement.sql, statement.lock});
  co_await step.states.store_log();
  std::function<bool(pg::Session&)> run = [sql = statement.sql](pg::Session& s) {
    steps::run_concurrently(s, sql);
    return true;
  };
  std::exception_ptr error;
  std::string message;
  try {
    co_await own.run<bool>(std::move(run));
  } catch (const pg::Failure& f) {
    error = error_for_good(step, f, statement.attempt);
    message = f.what();
  }
  if (error) std::rethrow_exception(error);
  if (message.empty() || step.stop.is_requested()) co_return;
  ++step.tally.retries;
  const auto wait = std::chrono::duration<double>(kRetryWait).count();
  step.journal.write(event::BatchFailed{0, 0, "", message, statement.attempt, "retry", wait});
  co_await sleep_unless_stopped(kRetryWait, step.stop);
}

asio::awaitable<void> run_vacuum(RunningStep& step, std::string sql) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto own = step.own.open("vacuum");
  const auto range = co_await lease_single(step, *own);
  if (!range) co_return;
  AloneStatement statement{std::move(sql), "SHARE UPDATE EXCLUSIVE", 1};
  co_await run_alone(step, *own, std::move(statement));
  if (!step.stop.is_requested()) co_await mark_done(step, *own, range->token);
}

}  // namespace pgsluice::engine
