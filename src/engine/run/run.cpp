#include "engine/run/run.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <ctime>

#include "base/failpoint.hpp"
#include "base/process_identity.hpp"
#include "base/uuid.hpp"
#include "kinds/table_of_kinds.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"
#include "telling/version.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLookTurn{10};  // until the run is opened, which is not notified
// Opening takes longer only if a COMMIT waits for a standby or a lock: then the user should see that.
constexpr std::chrono::milliseconds kOpensQuickly{1'000};
constexpr std::chrono::milliseconds kProgressTurn{250};

pg::ConnectionTarget direct_target(const Job& job, const pg::ConnectionTarget& target) {
  return job.direct_dsn.empty() ? target : pg::ConnectionTarget(job.direct_dsn);
}

/// The passwords that the program was given, whichever it connects with.
std::vector<std::string> secrets_of(const Job& job, const pg::ConnectionTarget& target) {
  auto secrets = target.secrets();
  const char* url = std::getenv("DATABASE_URL");
  for (const std::string& dsn : {job.dsn, job.direct_dsn, std::string(url ? url : "")}) {
    try {
      const auto more = pg::ConnectionTarget(dsn).secrets();
      secrets.insert(secrets.end(), more.begin(), more.end());
    } catch (const Error&) {
      // Nothing connects with it.
    }
  }
  return secrets;
}

}  // namespace

Run::Run(pg::ConnectionTarget target, Job job, RunOptions options, EventSink& sink)
    : Run(std::move(target), std::move(job), options, Direction{}, sink) {}

Run::Run(pg::ConnectionTarget target, Job job, RollbackOptions options, EventSink& sink)
    : Run(std::move(target), std::move(job), options, Direction{true, options.force}, sink) {}

Run::Run(pg::ConnectionTarget target, Job job, RunOptions options, Direction direction, EventSink& sink)
    : target_(std::move(target)),
      options_(options),
      direction_(direction),
      job_(std::move(job)),
      run_id_(base::random_uuid()),
      application_prefix_("pgsluice " + run_id_.substr(0, 8)),
      sink_(sink),
      tunables_(job_.tunables),
      journal_(sink, job_.name, run_id_),
      clocks_(options_, job_.window, began_),
      control_(target_, application_prefix_ + " control"),
      monitor_(target_, application_prefix_ + " monitor"),
      steps_(target_, application_prefix_ + " steps"),
      own_(direct_target(job_, target_), application_prefix_),
      row_(control_, job_, run_id_, journal_, stop_),
      sampler_(monitor_, application_prefix_, tunables_, {gate_, journal_, tally_, blockers_}),
      states_({journal_, stop_, in_work_, failure_, [this] { return store_log(); }, direction_.is_back}),
      ranges_({job_.name, run_id_, options_.wait, steps_, journal_, stop_}),
      fills_({io_,
              {target_, application_prefix_},
              run_id_,
              tunables_,
              steps_,
              gate_,
              sampler_,
              blockers_,
              journal_,
              tally_,
              stop_,
              states_,
              ranges_}),
      progress_(
          {job_, tunables_, in_work_, stop_, fills_, ranges_, sampler_, tally_, gate_, blockers_, began_}),
      signals_(io_, stop_,
               [this] {
                 journal_.write(event::State{"running", "draining",
                                             "a signal asked to stop: finishing what is in flight"});
               }),
      beside_(io_, failure_, stop_),
      end_({options_,
            clocks_,
            signals_,
            stop_,
            over_,
            gate_,
            blockers_,
            tunables_,
            sampler_,
            fills_,
            own_,
            steps_,
            monitor_,
            control_,
            row_,
            beside_,
            in_work_,
            journal_,
            [this] { return outcome_by_now(); },
            [this] {
              if (keeper_) keeper_->expect_end();
            },
            [this](const RunOutcome& end) { return summary(end); }}),
      hooks_({job_, run_id_, steps_, journal_, stop_, [this] { return signals_.seen(); }, options_.grace,
              secrets_of(job_, target_)}) {}

Run::~Run() = default;

ExitCode Run::execute() {
  if (options_.handle_signals) {
    signals_.heed();
    beside_.watch("the watch over signals", signals_.watch());
  }
  beside_.watch("the watch over the run's end", end_.watch());
  asio::co_spawn(io_, story(), [this](const std::exception_ptr& error) {
    if (error && !error_) error_ = error;
    end_.end();
    signals_.leave();
  });
  io_.run();
  if (error_) std::rethrow_exception(error_);
  return ended_with_;
}

asio::awaitable<void> Run::story() {
  std::exception_ptr error;
  try {
    co_await open();
    if (direction_.is_back) {
      co_await undo_steps();
    } else {
      co_await look_before_writing();
      if (!stop_.is_requested() && is_step_left()) co_await hooks_.before();
      co_await run_steps();
    }
  } catch (...) {
    error = std::current_exception();
  }
  failure_.note(error);
  over_.set();
  co_await beside_.finish();
  if (beside_.failure() && (!error || is_cut_short(error, stop_))) error = beside_.failure();
  co_await close(error);
}

asio::awaitable<void> Run::open() {
  // On the steps' own connection, so that the first batch's lane finds the server warm.
  std::function<bool(pg::Session&)> connect = [](pg::Session&) { return true; };
  co_await keep_trying<bool>(control_, connect, journal_, stop_, kFirstConnectMax);
  is_opening_ = true;
  beside_.start("the sampler", sample());
  const auto opened = co_await open_row();
  const auto& record = row_.job_record();
  const auto untouched = direction_.is_back ? StepState::kDone : StepState::kWaiting;
  const bool is_resumed =
      std::any_of(record.steps.begin(), record.steps.end(),
                  [untouched](const ledger::StepRecord& s) { return s.state != untouched; });
  journal_.write(event::RunStarted{kVersion, base::this_process().host, base::this_process().pid, is_resumed,
                                   tunables_.lanes});
  for (const auto& step : opened.freed)
    journal_.warn("the before-images of step \"" + step + "\" are freed: the time of its `keep` is over");
  for (const auto& mended : opened.job.change.mended) journal_.write(command_of(mended));

  keeper_ =
      std::make_unique<Keeper>(control_, record.job_id, run_id_, job_.window ? job_.window->timezone : "UTC",
                               Keeper::Kept{clocks_, tunables_, gate_, journal_, stop_});
  if (opened.orders.control == Control::kPause) {
    stop_.request(StopCause::kPaused,
                  "the job is paused" + (opened.orders.reason.empty() ? "" : ": " + opened.orders.reason));
    co_return;
  }
  keeper_->obey(opened.orders);
  clocks_.look(tunables_.throttle, gate_, blockers_, stop_, SteadyClock::now(), std::time(nullptr));
  beside_.start("the keeper", keeper_->run(over_, [this] { return progress_.line(); }));
  beside_.start("the progress", show_progress());
  if (!stop_.is_requested() && !direction_.is_back) co_await row_.mark_job_running();
}

asio::awaitable<OpenedRun> Run::open_row() {
  if (!direction_.is_back) {
    auto opened = co_await row_.open();
    co_return opened;
  }
  auto opened = co_await row_.open_rollback();
  survey_ = std::move(opened.survey);
  for (const auto& remark : survey_.remarks) journal_.warn(remark);
  co_return std::move(opened.run);
}

RunningStep Run::running(std::size_t place, const StepKind& kind) {
  const auto& record = row_.job_record().steps[place];
  return {job_,
          tunables_,
          run_id_,
          record,
          rehearsed_.count(record.step_id) > 0,
          steps_,
          own_,
          fills_,
          ranges_,
          states_,
          gate_,
          blockers_,
          journal_,
          tally_,
          stop_,
          sink_,
          [this, &kind](pg::Session& s) { return kind.standing(s, job_); }};
}

asio::awaitable<void> Run::look_before_writing() {
  Outlook outlook;
  bool is_first_to_write = true;
  for (std::size_t i = 0; i < job_.steps.size() && !stop_.is_requested(); ++i) {
    const auto& record = row_.job_record().steps[i];
    if (record.state == StepState::kDone) continue;
    const auto kind = kind_of(job_.steps[i]);
    kind->foresee(outlook);
    auto step = running(i, *kind);
    const bool is_rehearsed = co_await kind->look_before_writing(step, outlook);
    if (is_rehearsed && is_first_to_write) rehearsed_.insert(record.step_id);
    is_first_to_write = is_first_to_write && !kind->writes();
  }
}

bool Run::is_step_left() const {
  const auto& steps = row_.job_record().steps;
  return std::any_of(steps.begin(), steps.end(),
                     [](const ledger::StepRecord& step) { return step.state != StepState::kDone; });
}

asio::awaitable<void> Run::run_steps() {
  for (std::size_t i = 0; i < job_.steps.size() && !stop_.is_requested(); ++i) {
    in_work_.number = static_cast<int>(i) + 1;
    co_await gate_.pass_pause(stop_);
    if (stop_.is_requested()) co_return;
    if (row_.job_record().steps[i].state == StepState::kDone) continue;
    const auto kind = kind_of(job_.steps[i]);
    auto step = running(i, *kind);
    co_await kind->run(step);
  }
}

asio::awaitable<void> Run::undo_steps() {
  for (auto& act : survey_.acts) {
    co_await gate_.pass_pause(stop_);
    if (stop_.is_requested()) co_return;
    in_work_.number = static_cast<int>(act.place) + 1;
    act.is_forced = direction_.is_forced;
    co_await undo_step(act);
  }
}

asio::awaitable<void> Run::undo_step(RollbackAct act) {
  const auto kind = kind_of(job_.steps[act.place]);
  auto step = running(act.place, *kind);
  states_.show(step.record.name, step.record.kind);
  const auto began = SteadyClock::now();
  const auto before = tally_.run_rows();
  co_await kind->undo(step, act);
  base::failpoint("rollback_after_step");
  if (stop_.is_requested()) co_return;
  const auto took = std::chrono::duration<double>(SteadyClock::now() - began).count();
  const auto rows = difference(tally_.run_rows(), before);
  journal_.write(event::StepEnded{step.record.name, step.record.kind, "rolled back", rows, took});
  co_await store_log();
}

asio::awaitable<void> Run::close(std::exception_ptr error) {
  end_.begin_closing();
  auto end = co_await outcome(error);
  if (const auto failed = failure_of(error, stop_))
    error_ = failed->code() == ExitCode::kInternal ? error : std::make_exception_ptr(*failed);
  ended_with_ = end.code;
  if (!in_work_.cut.empty() && !error_) end.reason += "; cancelled on the server: " + in_work_.cut;
  if (row_.is_registered() && direction_.is_back) co_await row_.close_rollback(end);
  if (row_.is_registered() && !direction_.is_back) co_await row_.close(end);
  if (!row_.is_registered() && is_opening_ && stop_.is_requested()) co_await row_.close_unopened(end);
  co_await run_after_hook(end);
  journal_.write(summary(end));
  co_await store_log();
}

asio::awaitable<void> Run::run_after_hook(RunOutcome& end) {
  if (!hooks_.is_after_due()) co_return;
  co_await store_log();  // the command may take long, and the process may die meanwhile
  JobHooks::End told{end.outcome, static_cast<int>(end.code), final_rows_.changed};
  end_.rest();
  const auto failure = co_await hooks_.after(std::move(told));
  end_.go_on();
  if (failure.empty()) co_return;
  journal_.warn(failure, "the job's steps have ended before that, and stay as they are");
  if (end.code != ExitCode::kDone) co_return;
  end.code = ended_with_ = ExitCode::kFailed;
  end.reason = failure;
  end.hint = "the job is done: only the command is left to do by hand";
}

asio::awaitable<RunOutcome> Run::outcome(std::exception_ptr error) {
  if (direction_.is_back) {
    final_rows_ = tally_.run_rows();
    RowsNotRestored left;
    if (row_.is_registered()) left = co_await row_.count_not_restored();
    co_return rollback_outcome_of(error, stop_, left, job_.name);
  }
  if (row_.is_registered()) final_rows_ = co_await row_.count_rows(tally_.run_rows());
  co_return outcome_of(error, stop_, final_rows_, fills_.unchanged());
}

asio::awaitable<void> Run::sample() {
  while (!row_.is_registered() && !over_.is_set() && SteadyClock::now() - began_ < kOpensQuickly)
    co_await over_.wait(kLookTurn);
  co_await sampler_.run(over_);
}

asio::awaitable<void> Run::show_progress() {
  auto last = SteadyClock::now();
  while (!over_.is_set()) {
    const auto now = SteadyClock::now();
    if (gate_.held_since() || blockers_.since())
      tally_.held_s += std::chrono::duration<double>(now - last).count();
    last = now;
    fills_.tell_wrong_estimates();
    journal_.write(event::Status{progress_.progress()});
    co_await over_.wait(kProgressTurn);
  }
}

asio::awaitable<void> Run::store_log() {
  if (keeper_) co_await keeper_->flush_journal();
}

RunOutcome Run::outcome_by_now() const {
  const auto* lanes = fills_.lanes();
  const auto& error = failure_.error() || !lanes ? failure_.error() : lanes->first_error();
  return outcome_of(error, stop_, final_rows_, fills_.unchanged());
}

event::Summary Run::summary(const RunOutcome& end) const {
  event::Summary s;
  s.outcome = end.outcome;
  s.exit_code = static_cast<int>(end.code);
  s.reason = end.reason;
  s.hint = end.hint;
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
