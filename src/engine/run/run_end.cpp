// How a Run ends: what asks it to, how long what is in work may take, and what the ledger is told.

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "base/units.hpp"
#include "engine/run/run.hpp"
#include "ledger/jobs.hpp"
#include "ledger/overview.hpp"
#include "ledger/runs.hpp"
#include "pg/transaction.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{20};  // how soon a clock or a signal is noticed
// A cancel that meets a server between two statements comes to nothing: it is sent again.
constexpr std::chrono::milliseconds kCancelAgain{100};
// What was cancelled ends at once, unless the server does not answer any more: then the process ends without
// it. Nothing is lost: the server decides alone what commits, and the next run asks it.
constexpr std::chrono::milliseconds kAbortMost{700};
// By then the story has ended, or something in it does not answer: the ledger is told without it.
constexpr std::chrono::milliseconds kStoryMost{350};
constexpr std::chrono::milliseconds kTellMost{50};  // for the reporter's thread to write the summary
// Much longer than a healthy statement of keeper and ledger takes on a slow network, and short enough to tell
// the end within kAbortMost on a new connection.
constexpr std::chrono::milliseconds kControlHangs{500};

// Of a run with work left nothing is lost with the last of what is told, and no standby is waited for.
constexpr pg::TransactionLimits kLeaveLimits{std::chrono::milliseconds{5'000},
                                             std::chrono::milliseconds{5'000}, false};
constexpr pg::TransactionLimits kDoneLimits{std::chrono::milliseconds{5'000}, std::chrono::milliseconds{0},
                                            true};

// How often the end is told when a cancel meets the telling.
constexpr int kCloseAttempts = 2;

/// The state that the ledger shows for a job whose run ended so.
const char* job_state(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
    case ExitCode::kQuarantined:
      return "done";
    case ExitCode::kCancelled:
      return "cancelled";
    case ExitCode::kPaused:
    case ExitCode::kRangesHeld:
    case ExitCode::kReadyForCutOver:
    case ExitCode::kUnreachable:
    case ExitCode::kWorkLeft:
      return "ready";
    default:
      return "failed";
  }
}

/// Who started us with nohup wants us to outlive the terminal.
bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

ExitCode Run::exit_code() const {
  switch (stop_.cause()) {
    case StopCause::kNone:
      if (final_rows_.unchanged > 0) return ExitCode::kMismatch;
      return final_rows_.quarantined > 0 ? ExitCode::kQuarantined : ExitCode::kDone;
    case StopCause::kPaused:
      return ExitCode::kPaused;
    case StopCause::kCancelled:
      return ExitCode::kCancelled;
    case StopCause::kFailed:
      return ExitCode::kFailed;
    case StopCause::kReadyForCutover:
      return ExitCode::kReadyForCutOver;
    default:
      return ExitCode::kWorkLeft;
  }
}

const char* Run::outcome_text(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kQuarantined:
      return "done, rows quarantined";
    case ExitCode::kMismatch:
      return "verify mismatch";
    case ExitCode::kPaused:
      return "paused";
    case ExitCode::kCancelled:
      return "cancelled";
    case ExitCode::kRangesHeld:
      return "held by other runs";
    case ExitCode::kReadyForCutOver:
      return "ready for cut-over";
    case ExitCode::kWorkLeft:
      return "work left";
    case ExitCode::kRefused:
    case ExitCode::kPrivileges:
      return "refused";
    default:
      return "failed";
  }
}

void Run::heed_signals() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);
  asio::co_spawn(io_, watch_signals(),
                 [this](const std::exception_ptr& error) { note_beside("the watch over signals", error); });
}

asio::awaitable<void> Run::watch_signals() {
  for (;;) {
    boost::system::error_code cancelled;
    co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    ++signals_seen_;
    stop_.request(StopCause::kSignal, "a signal asked to stop");
    if (signals_seen_ > 1) continue;
    journal_.write(
        event::State{"running", "draining", "a signal asked to stop: finishing what is in flight"});
  }
}

asio::awaitable<void> Run::watch_end() {
  while (!has_ended_) {
    const auto now = SteadyClock::now();
    // What is over stays done; only how long the telling may take is still watched.
    clocks_.look(job_, gate_, blockers_, over_.is_set() ? late_ : stop_, now, std::time(nullptr));
    if (stop_.is_requested() || late_.is_requested()) end_in_time(now);
    if (aborts_since_ && now - *aborts_since_ > kAbortMost) co_await leave();
    co_await sleep_for(kLook);
  }
}

void Run::end_in_time(SteadyClock::time_point now) {
  if (!drains_since_) drains_since_ = now;
  const auto why = urgency(now);
  if (!aborts_since_ && why.empty()) {
    // Batches end by themselves.
    if (stop_.cause() == StopCause::kCancelled && !lanes_) cut_statement(now);
    return;
  }
  if (!aborts_since_) {
    aborts_since_ = now;
    tell_abort(why);
  }
  if (!aborted_at_ || now - *aborted_at_ >= kCancelAgain) {
    aborted_at_ = now;
    abort(now);
  }
  if (is_registered_ && !is_closing_ && !is_closed_beside_ && now - *aborts_since_ > kStoryMost) {
    is_closed_beside_ = true;
    keeper_->expect_end();
    const auto code = ending(first_failure()).code;
    asio::co_spawn(io_, close(code, outcome_text(code)), [this](const std::exception_ptr& error) {
      note_beside("the end of the run's row", error);
    });
  }
}

std::string Run::urgency(SteadyClock::time_point now) const {
  if (signals_seen_ >= 2) return "a second signal";
  if (now - *drains_since_ >= options_.grace)
    return "the grace of " + base::format_duration(options_.grace) + " is over";
  return sampler_.commit_wait(now);  // nothing that waits for a standby gets done in the grace
}

std::string Run::in_work() const {
  if (lanes_) return "the batches in flight";
  if (step_name_.empty()) return "what was begun";
  return step_kind_ + " step \"" + step_name_ + "\"";
}

void Run::tell_abort(const std::string& why) {
  cut_ = in_work();
  if (!is_closing_) journal_.write(event::State{"draining", "aborting", why + ": cancelling " + cut_});
}

void Run::cut_statement(SteadyClock::time_point now) {
  const bool is_at_work = steps_.is_in_flight() || (own_ && own_->is_in_flight());
  if (!is_at_work || (aborted_at_ && now - *aborted_at_ < kCancelAgain)) return;
  aborted_at_ = now;
  if (cut_.empty()) tell_abort(stop_.reason());
  steps_.abort_hanging(std::chrono::milliseconds{0});
  if (own_) own_->abort_hanging(std::chrono::milliseconds{0});
}

void Run::abort(SteadyClock::time_point now) {
  if (lanes_) lanes_->abort();
  if (own_) own_->shut();
  steps_.shut();
  monitor_.shut();
  // While the run opens, whatever is in work. Then the end is told there: only what hung before is cut, a
  // COMMIT that waits for a standby say, and nothing that began since.
  const bool is_opening = !is_registered_ && !is_closing_;
  const auto aborts_for = std::chrono::ceil<std::chrono::milliseconds>(now - *aborts_since_);
  control_.abort_hanging(is_opening ? std::chrono::milliseconds{0} : std::max(kControlHangs, aborts_for));
}

std::exception_ptr Run::first_failure() const {
  if (!failure_ && lanes_) return lanes_->first_error();
  return failure_;
}

asio::awaitable<void> Run::leave() {
  const auto failure = first_failure();
  auto end = ending(failure);
  // Nobody knows whether the ledger was told that all is done.
  if (!failure && !stop_.is_requested()) end = {ExitCode::kWorkLeft, late_.reason(), {}};
  end.reason += "; the server has not answered since it was told to cancel " + cut_ +
                ", which ends there as soon as the server goes on";
  if (end.hint.empty()) end.hint = "run again: the job goes on where it stopped";
  journal_.write(summary(end.code, outcome_text(end.code), end.reason, end.hint));
  co_await sleep_for(kTellMost);
  // Threads still wait for the server: nothing that ends by itself can be waited for. Nor is anything
  // flushed: presenters flush what they write, and one whose reader is stuck holds the stream for ever.
  const int status = static_cast<int>(end.code);
  std::_Exit(end.code == ExitCode::kWorkLeft ? options_.yield_exit_code.value_or(status) : status);
}

asio::awaitable<void> Run::count_rows() {
  std::function<RowCounts(pg::Session&)> count = [steps = record_.steps](pg::Session& s) {
    RowCounts all;
    for (const auto& step : steps) add(all, ledger::step_counts(s, step.step_id));
    return all;
  };
  try {
    final_rows_ = co_await control_.run<RowCounts>(std::move(count));
  } catch (const pg::Failure&) {
    final_rows_ = tally_.run_rows();  // the server is gone: what this run knows must do
  }
}

asio::awaitable<void> Run::close(ExitCode code, std::string outcome) {
  const bool is_done = code == ExitCode::kDone || outcome == kRowsUnchanged;
  const auto limits = is_done || code == ExitCode::kQuarantined ? kDoneLimits : kLeaveLimits;
  std::function<bool(pg::Session&)> end = [=, job_id = record_.job_id, run_id = run_id_](pg::Session& s) {
    pg::in_transaction(s, limits, [&] {
      ledger::end_run(s, run_id, outcome, static_cast<int>(code));
      return true;
    });
    // While others work on, the job's state is theirs to tell. Behind the commit, or two runs that end
    // together would leave it to each other.
    if (!is_done && ledger::other_live_runs(s, job_id, run_id) > 0) return true;
    return pg::in_transaction(s, limits, [&] {
      ledger::set_job_state(s, job_id, outcome == kRowsUnchanged ? "done" : job_state(code));
      if (!is_done) ledger::settle_job_state(s, job_id);  // another run may have done what was left
      return true;
    });
  };
  for (int attempt = 1;; ++attempt) {
    std::string failure;
    try {
      co_await control_.run<bool>(end);
    } catch (const pg::Failure& f) {
      if (f.cancelled_by() == pg::CancelledBy::kUs && attempt < kCloseAttempts) continue;
      failure = f.what();
    }
    if (failure.empty()) co_return;
    journal_.warn("the run's end could not be written to the ledger: " + failure,
                  "its ranges are free when the lease ends");
    co_return;
  }
}

asio::awaitable<void> Run::close_unopened() {
  std::function<bool(pg::Session&)> end = [run_id = run_id_, code = exit_code()](pg::Session& s) {
    return pg::in_transaction(s, kLeaveLimits, [&] {
      ledger::end_run(s, run_id, outcome_text(code), static_cast<int>(code));
      return true;
    });
  };
  try {
    co_await control_.run<bool>(std::move(end));
  } catch (const pg::Failure&) {
    // It never got as far as the ledger.
  }
}

}  // namespace pgsluice::engine
