#include "kinds/ddl/run_ddl.hpp"

#include <random>

#include "base/backoff.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pg/sqlstate.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

using Statements = std::vector<steps::DdlStatement>;

constexpr std::chrono::milliseconds kNoTimeout{0};  // for statements that may take long

asio::awaitable<void> fail_for_good(RunningStep& step, pg::Failure failure) {
  const auto& state = failure.sqlstate();
  std::string hint = "correct the statement; this step has changed nothing";
  if (pg::exists_already(state))
    hint = "it was applied before: write IF NOT EXISTS, or run pgsluice resolve " + step.job.name + " " +
           step.record.name + " --applied";
  // An act is one of many: what earlier acts made stays.
  const auto standing = co_await keep_trying<std::optional<std::string>>(step.connection, step.standing,
                                                                         step.journal, step.stop);
  if (standing) {
    hint = standing->empty()
               ? "correct the cause and run again: this step has changed nothing yet"
               : *standing + ": correct the cause and run again, or remove them with pgsluice rollback";
  }
  throw Error(exit_code_of(state),
              "step \"" + step.record.name + "\" failed: " + failure.what() + " (SQLSTATE " + state + ")",
              hint);
}

std::string holders_in_words(pg::Session& session, const Statements& statements) {
  std::string all;
  for (const auto& statement : statements) {
    for (const auto& holder : pg::lock_holders(session, statement.table_sql))
      all += "; held by " + statement.table_sql + ": " + holder;
  }
  return all;
}

/// Reports an attempt that did not get its lock, and who holds it.
struct LockFailure {
  std::string message;
  int attempt = 1;
  std::chrono::milliseconds wait{0};
};

asio::awaitable<void> name_holders(RunningStep& step, Statements statements, LockFailure failure) {
  std::function<std::string(pg::Session&)> look = [=](pg::Session& s) {
    return holders_in_words(s, statements);
  };
  std::string holders;
  try {
    holders = co_await step.connection.run<std::string>(std::move(look));
  } catch (const pg::Failure&) {
    // Naming the blocker is only a courtesy; the attempt's own error is what counts.
  }
  step.journal.write(event::BatchFailed{0, 0, std::string(pg::kLockNotAvailable), failure.message + holders,
                                        failure.attempt, "retry",
                                        std::chrono::duration<double>(failure.wait).count()});
}

/// The attempt's failure, if it may be tried again; throws if it may not.
asio::awaitable<std::string> refused_lock(RunningStep& step, pg::Failure failure) {
  const bool is_ours = failure.cancelled_by() == pg::CancelledBy::kUs;
  if (is_ours && step.stop.is_requested()) throw cut_short(step.stop);
  if (failure.is_somebodys_cancel(kNoTimeout))
    throw cancelled_by_somebody("step \"" + step.record.name + "\"", failure,
                                "this step has changed nothing and starts again");
  const bool is_timeout = failure.cancelled_by() == pg::CancelledBy::kTimeout;  // set by the step itself
  if (is_timeout || failure.disposition() != pg::Disposition::kRetryable)
    co_await fail_for_good(step, failure);
  co_return failure.what();
}

}  // namespace

asio::awaitable<void> run_ddl(RunningStep& step, Statements statements) {
  return run_ddl(step, std::move(statements), steps::Recogniser{});
}

asio::awaitable<void> run_ddl(RunningStep& step, Statements statements, steps::Recogniser recogniser) {
  const auto& name = step.record.name;
  step.journal.write(event::StepStarted{name, step.record.kind, false, 0});
  const base::Backoff backoff{steps::kDdlBackoffBase, steps::kDdlBackoffMax, steps::kDdlAttempts,
                              std::random_device{}()};
  for (const auto& s : statements) step.journal.write(event::Statement{name, s.sql, s.lock});
  co_await step.states.store_log();  // schema changes are in the log even if this process dies

  for (int attempt = 1; !step.stop.is_requested(); ++attempt) {
    const auto range = co_await lease_single(step, step.connection);
    if (!range) co_return;
    std::function<bool(pg::Session&)> run = [=, token = range->token](pg::Session& s) {
      return steps::attempt_ddl(
          s, statements, [&](pg::Session& in) { return ledger::mark_done(in, token); }, recogniser);
    };
    std::optional<pg::Failure> failure;
    try {
      if (co_await step.connection.run<bool>(std::move(run))) co_return;
      continue;  // fenced: lease again, or find it done
    } catch (const pg::Failure& f) {
      failure = f;
    }
    const auto blocked = co_await refused_lock(step, *failure);
    const auto wait = backoff.next(attempt);
    if (!wait) {
      throw Error(ExitCode::kFailed,
                  "step \"" + name + "\" did not get its lock in " + std::to_string(attempt) +
                      " attempts: " + blocked,
                  "end the sessions that block it (the event log names them), then run again");
    }
    ++step.tally.retries;
    LockFailure told{blocked, attempt, *wait};
    co_await name_holders(step, statements, std::move(told));
    co_await sleep_unless_stopped(*wait, step.stop);
  }
}

}  // namespace pgsluice::engine
