#include "engine/run/run.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ctime>

#include "base/failpoint.hpp"
#include "base/process_identity.hpp"
#include "base/units.hpp"
#include "base/uuid.hpp"
#include "engine/preflight/preflight.hpp"
#include "kinds/definition/job_definition.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"
#include "telling/version.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

// Each says when it is over: this only bounds the wait.
constexpr std::chrono::milliseconds kBesideOver{1'000};
constexpr std::chrono::milliseconds kLookTurn{10};
// Opening takes longer only where a COMMIT waits for a standby or a lock: then who looks on is to see that.
constexpr std::chrono::milliseconds kOpensQuickly{1'000};

/// What the ledger has to know before the first step. Blocks; safe to repeat.
struct Opened {
  OpenedJob job;
  ledger::Control control;
};

Opened open_run(pg::Session& session, const Job& job, const std::string& run_id) {
  for (const auto& finding : preflight(session, job, true, false)) {
    if (finding.level != Finding::Level::kRefuse) continue;
    throw Error(static_cast<ExitCode>(finding.exit_code), finding.message, finding.hint);
  }
  ledger::install(session);
  Opened opened;
  opened.job = open_job(session, job);
  const auto job_id = opened.job.record.job_id;
  ledger::end_gone_runs(session, job_id);
  ledger::register_run(session, job_id, run_id, kVersion, base::this_process());
  base::failpoint("after_register");
  opened.control = ledger::read_control(session, job_id, run_id, job.window ? job.window->timezone : "UTC");
  return opened;
}

/// What the run fails by; nullopt: it was told to stop, and has stopped.
std::optional<Error> failure_of(const std::exception_ptr& error, const Stop& stop) {
  if (!error) return std::nullopt;
  try {
    std::rethrow_exception(error);
  } catch (const CutShort& e) {
    if (stop.is_requested()) return std::nullopt;
    return e;
  } catch (const Error& e) {
    // Who was told to stop while the server put us off has stopped: for the reason that was given.
    const bool was_told = stop.is_requested() && stop.cause() != StopCause::kFailed;
    if (e.code() == ExitCode::kWorkLeft && was_told) return std::nullopt;
    return e;
  } catch (const pg::Failure& f) {
    return error_of(f, Asker::kRun);
  } catch (const std::exception& e) {
    return Error(ExitCode::kInternal, e.what());
  }
}

}  // namespace

Run::Run(pg::ConnectionTarget target, Job job, RunOptions options, EventSink& sink)
    : target_(std::move(target)),
      options_(options),
      run_id_(base::random_uuid()),
      application_prefix_("pgsluice " + run_id_.substr(0, 8)),
      signals_(io_),
      job_(std::move(job)),
      journal_(sink, job_.name, run_id_),
      sink_(sink),
      clocks_(options_, began_),
      control_(target_, application_prefix_ + " control"),
      monitor_(target_, application_prefix_ + " monitor"),
      steps_(target_, application_prefix_ + " steps"),
      sampler_(monitor_, application_prefix_, job_, {gate_, journal_, tally_, blockers_}) {}

Run::~Run() = default;

ExitCode Run::execute() {
  if (options_.handle_signals) heed_signals();
  asio::co_spawn(io_, watch_end(), [this](const std::exception_ptr& error) {
    note_beside("the watch over the run's end", error);
  });
  asio::co_spawn(io_, story(), [this](const std::exception_ptr& error) {
    if (error && !error_) error_ = error;
    has_ended_ = true;
    signals_.cancel();
  });
  io_.run();
  if (error_) std::rethrow_exception(error_);
  return ended_with_;
}

asio::awaitable<void> Run::story() {
  std::exception_ptr error;
  try {
    co_await open();
    co_await look_before_writing();
    co_await run_steps();
  } catch (...) {
    error = std::current_exception();
  }
  if (!failure_) failure_ = error;
  over_.set();
  while (beside_ > 0) co_await beside_over_.wait(kBesideOver);
  if (beside_failure_ && (!error || is_cut_short(error, stop_))) error = beside_failure_;
  is_closing_ = true;
  if (is_registered_) co_await count_rows();

  Ending end = ending(error);
  if (const auto failed = failure_of(error, stop_))
    error_ = failed->code() == ExitCode::kInternal ? error : std::make_exception_ptr(*failed);
  std::string outcome = outcome_text(end.code);
  if (!error && end.code == ExitCode::kMismatch) {
    outcome = kRowsUnchanged;
    end.reason = unchanged_reason();
    end.hint = kLookAtUnchanged;
  }
  ended_with_ = end.code;
  if (!cut_.empty() && !error_) end.reason += "; cancelled on the server: " + cut_;
  if (is_registered_) co_await close(end.code, outcome);
  if (!is_registered_ && is_opening_ && stop_.is_requested()) co_await close_unopened();
  journal_.write(summary(end.code, outcome, end.reason, end.hint));
  if (is_registered_) co_await keeper_->flush_journal();
}

Run::Ending Run::ending(const std::exception_ptr& error) const {
  if (const auto failed = failure_of(error, stop_)) return {failed->code(), failed->what(), failed->hint()};
  return {exit_code(), stop_.reason(), {}};
}

asio::awaitable<void> Run::open() {
  // The steps' own connection: the first batch's lane finds the server warm.
  std::function<bool(pg::Session&)> connect = [](pg::Session&) { return true; };
  co_await keep_trying<bool>(control_, connect, journal_, stop_, kFirstConnectMax);
  is_opening_ = true;
  start_beside("the sampler", sample());
  std::function<Opened(pg::Session&)> open_it = [job = job_, run_id = run_id_](pg::Session& s) {
    return open_run(s, job, run_id);
  };
  const auto opened = co_await keep_trying<Opened>(control_, open_it, journal_, stop_);
  record_ = opened.job.record;
  is_registered_ = true;
  const bool is_resumed = std::any_of(record_.steps.begin(), record_.steps.end(),
                                      [](const ledger::StepRecord& s) { return s.state != "waiting"; });
  journal_.write(event::RunStarted{kVersion, base::this_process().host, base::this_process().pid, is_resumed,
                                   job_.lanes});
  for (const auto& mended : opened.job.change.mended) journal_.write(command_of(mended));

  keeper_ = std::make_unique<Keeper>(control_, record_.job_id, run_id_,
                                     Keeper::Kept{clocks_, job_, gate_, journal_, stop_});
  if (opened.control.control == "pause") {
    stop_.request(StopCause::kPaused,
                  "the job is paused" + (opened.control.reason.empty() ? "" : ": " + opened.control.reason));
    co_return;
  }
  keeper_->obey(opened.control);
  clocks_.look(job_, gate_, blockers_, stop_, SteadyClock::now(), std::time(nullptr));
  start_beside("the keeper", keeper_->run(over_, [this] { return progress_text(); }));
  start_beside("the progress", show_progress(over_));

  std::function<bool(pg::Session&)> mark = [job_id = record_.job_id](pg::Session& s) {
    ledger::set_job_state(s, job_id, "running");
    return true;
  };
  if (!stop_.is_requested()) co_await keep_trying<bool>(control_, mark, journal_, stop_);
}

void Run::start_beside(const char* what, awaitable<void> work) {
  ++beside_;
  asio::co_spawn(io_, std::move(work), [this, what](const std::exception_ptr& error) {
    --beside_;
    beside_over_.notify();
    note_beside(what, error);
  });
}

void Run::note_beside(const char* what, const std::exception_ptr& error) {
  if (!error) return;
  if (!beside_failure_) beside_failure_ = error;
  if (!failure_) failure_ = error;
  stop_.request(StopCause::kFailed, std::string(what) + " failed: " + message_of(error));
}

asio::awaitable<void> Run::sample() {
  while (!is_registered_ && !over_.is_set() && SteadyClock::now() - began_ < kOpensQuickly)
    co_await over_.wait(kLookTurn);
  co_await sampler_.run(over_);
}

event::Summary Run::summary(ExitCode code, const std::string& outcome, const std::string& reason,
                            const std::string& hint) const {
  event::Summary s;
  s.outcome = outcome;
  s.exit_code = static_cast<int>(code);
  s.reason = reason;
  s.hint = hint;
  s.rows = final_rows_;
  s.batches = tally_.batches;
  s.retries = tally_.retries;
  s.splits = tally_.splits;
  s.duration_s = std::chrono::duration<double>(SteadyClock::now() - began_).count();
  s.held_s = tally_.held_s;
  s.batch_p50_s = tally_.batch_times.quantile(0.5);
  s.batch_p95_s = tally_.batch_times.quantile(0.95);
  s.batch_p99_s = tally_.batch_times.quantile(0.99);
  s.batch_max_s = tally_.batch_times.max_s();
  s.lag_max_s = tally_.lag_max_s;
  s.hot_percent = tally_.hot_percent();
  s.wal_bytes_per_row = tally_.wal_bytes_per_row();
  s.rows_per_second = s.duration_s > 0 ? static_cast<double>(tally_.run_rows().visited()) / s.duration_s : 0;
  return s;
}

}  // namespace pgsluice::engine
