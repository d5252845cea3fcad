#include "engine/run/run_row.hpp"

#include "base/failpoint.hpp"
#include "base/process_identity.hpp"
#include "engine/command/drop_undo.hpp"
#include "engine/preflight/preflight.hpp"
#include "engine/run/rollback_opening.hpp"
#include "kinds/steps_of_job.hpp"
#include "ledger/images.hpp"
#include "ledger/overview.hpp"
#include "ledger/purge/repetition.hpp"
#include "ledger/schema.hpp"
#include "ledger/undo.hpp"
#include "pg/connection/transaction.hpp"
#include "telling/failure/outage.hpp"
#include "telling/tally.hpp"
#include "telling/version.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

// If work is left, losing the last write to the ledger does no harm, so it waits for no standby.
constexpr pg::TransactionLimits kLeaveLimits{std::chrono::milliseconds{5'000},
                                             std::chrono::milliseconds{5'000}, false};
constexpr pg::TransactionLimits kDoneLimits{std::chrono::milliseconds{5'000}, std::chrono::milliseconds{0},
                                            true};

// How often writing the end is tried when a cancel hits it.
constexpr int kCloseAttempts = 2;

/// Under the same lock as a rollback, or each could miss the other.
void register_run(pg::Session& session, const Job& job, std::int64_t job_id, const std::string& run_id) {
  pg::in_transaction(session, {}, [&] {
    if (ledger::lock_job(session, job_id) == JobState::kRollingBack) refuse_rolling_back(job.name);
    ledger::register_run(session, job_id, run_id, kVersion, base::this_process());
    return true;
  });
}

/// For how long before-images are kept is what the job file says now.
void note_kept_for(pg::Session& session, const Job& job, const ledger::JobRecord& record) {
  for (std::size_t i = 0; i < job.steps.size() && i < record.steps.size(); ++i) {
    const auto id = record.steps[i].step_id;
    const auto* backfill = job.steps[i].as<BackfillStep>();
    if (backfill != nullptr && backfill->keep) ledger::set_kept_for(session, id, backfill->keep_for);
    const auto* copy = job.steps[i].as<CopyStep>();
    if (copy != nullptr && copy->keep) ledger::set_kept_for(session, id, copy->keep_for);
  }
}

/// A job that is done begins anew with the steps that say so, and with those that only look.
void begin_anew(pg::Session& session, const Job& job) {
  std::vector<std::string> steps;
  for (const auto place : begun_anew(job)) steps.push_back(job.steps[place].name());
  if (steps.empty() || !ledger::is_installed(session)) return;
  ledger::install(session);
  pg::in_transaction(session, {}, [&] { return ledger::begin_anew(session, job.name, steps); });
}

/// Blocks; safe to repeat.
OpenedRun open_run(pg::Session& session, const Job& job, const std::string& run_id) {
  begin_anew(session, job);
  for (const auto& finding : preflight(session, job, true, false)) {
    if (finding.level != Finding::Level::kRefuse) continue;
    throw Error(static_cast<ExitCode>(finding.exit_code), finding.message, finding.hint);
  }
  ledger::install(session);
  OpenedRun opened;
  opened.job = open_job(session, job);
  const auto job_id = opened.job.record.job_id;
  note_kept_for(session, job, opened.job.record);
  opened.freed = drop_expired_images(session);
  ledger::end_gone_runs(session, job_id);
  register_run(session, job, job_id, run_id);
  base::failpoint("after_register");
  opened.orders = ledger::read_orders(session, job_id, run_id, job.window ? job.window->timezone : "UTC");
  return opened;
}

bool end_run(pg::Session& session, const std::string& run_id, const RunOutcome& end,
             const pg::TransactionLimits& limits) {
  return pg::in_transaction(session, limits, [&] {
    ledger::end_run(session, run_id, end.outcome, static_cast<int>(end.code));
    return true;
  });
}

/// Ends the run, and sets the job's state unless other runs are still working: then they set it. After the
/// run's commit, or two runs that end together would leave it to each other.
bool end_run_and_job(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                     const RunOutcome& end) {
  const bool is_done = is_job_done(end);
  const auto& limits = is_done ? kDoneLimits : kLeaveLimits;
  end_run(session, run_id, end, limits);
  if (!is_done && ledger::other_live_runs(session, job_id, run_id) > 0) return true;
  return pg::in_transaction(session, limits, [&] {
    if (!is_done) ledger::set_job_state(session, job_id, job_state(end));
    // Another run may have done the rest; or the job has begun anew, and is not done.
    ledger::settle_job_state(session, job_id);
    return true;
  });
}

}  // namespace

asio::awaitable<OpenedRun> RunRow::open() {
  std::function<OpenedRun(pg::Session&)> open_it = [job = job_, run_id = run_id_](pg::Session& s) {
    return open_run(s, job, run_id);
  };
  auto opened = co_await keep_trying<OpenedRun>(connection_, open_it, journal_, stop_);
  job_record_ = opened.job.record;
  is_registered_ = true;
  co_return opened;
}

asio::awaitable<OpenedRollback> RunRow::open_rollback() {
  std::function<OpenedRollback(pg::Session&)> open_it = [job = job_, run_id = run_id_](pg::Session& s) {
    return engine::open_rollback(s, job, run_id);
  };
  auto opened = co_await keep_trying<OpenedRollback>(connection_, open_it, journal_, stop_);
  job_record_ = opened.run.job.record;
  is_registered_ = true;
  co_return opened;
}

asio::awaitable<void> RunRow::mark_job_running() {
  std::function<bool(pg::Session&)> mark = [job_id = job_record_.job_id, run_id = run_id_](pg::Session& s) {
    ledger::set_job_running(s, job_id, run_id);
    return true;
  };
  co_await keep_trying<bool>(connection_, mark, journal_, stop_);
}

asio::awaitable<RowCounts> RunRow::count_rows(RowCounts known) {
  std::function<RowCounts(pg::Session&)> count = [steps = job_record_.steps](pg::Session& s) {
    RowCounts all;
    for (const auto& step : steps) add(all, ledger::step_counts(s, step.step_id));
    return all;
  };
  try {
    co_return co_await connection_.run<RowCounts>(std::move(count));
  } catch (const pg::Failure&) {
    // The server is unreachable: what this run knows must do.
  }
  co_return known;
}

asio::awaitable<RowsNotRestored> RunRow::count_not_restored() {
  std::function<ledger::NotRestored(pg::Session&)> count = [job_id = job_record_.job_id](pg::Session& s) {
    return ledger::count_not_restored(s, job_id);
  };
  try {
    const auto counted = co_await connection_.run<ledger::NotRestored>(std::move(count));
    co_return RowsNotRestored{counted.kept, counted.faulty};
  } catch (const pg::Failure&) {
    // The server is unreachable: the rollback is not over either.
  }
  co_return RowsNotRestored{};
}

asio::awaitable<void> RunRow::close(RunOutcome end) {
  std::function<bool(pg::Session&)> tell = [=, job_id = job_record_.job_id,
                                            run_id = run_id_](pg::Session& s) {
    return end_run_and_job(s, job_id, run_id, end);
  };
  co_await write_end(tell);
}

asio::awaitable<void> RunRow::close_rollback(RunOutcome end) {
  std::function<bool(pg::Session&)> tell = [=, name = job_.name, job_id = job_record_.job_id,
                                            run_id = run_id_](pg::Session& s) {
    end_run(s, run_id, end, kDoneLimits);
    engine::close_rollback(s, name, job_id);
    return true;
  };
  co_await write_end(tell);
}

asio::awaitable<void> RunRow::write_end(std::function<bool(pg::Session&)> tell) {
  for (int attempt = 1;; ++attempt) {
    std::string failure;
    try {
      co_await connection_.run<bool>(tell);
    } catch (const pg::Failure& f) {
      if (f.cancelled_by() == pg::CancelledBy::kUs && attempt < kCloseAttempts) continue;
      failure = f.what();
    }
    if (failure.empty()) co_return;
    journal_.warn("the run's end could not be written to the ledger: " + failure,
                  "its ranges become free when the lease ends");
    co_return;
  }
}

asio::awaitable<void> RunRow::close_unopened(RunOutcome end) {
  std::function<bool(pg::Session&)> tell = [=, run_id = run_id_](pg::Session& s) {
    return end_run(s, run_id, end, kLeaveLimits);
  };
  try {
    co_await connection_.run<bool>(std::move(tell));
  } catch (const pg::Failure&) {
    // The run never reached the ledger.
  }
}

}  // namespace pgsluice::engine
