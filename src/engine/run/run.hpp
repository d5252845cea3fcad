#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <set>
#include <string>

#include "engine/hook/hooks.hpp"
#include "engine/run/beside.hpp"
#include "engine/run/end_in_time.hpp"
#include "engine/run/keeper.hpp"
#include "engine/run/progress_view.hpp"
#include "engine/run/run_row.hpp"
#include "engine/run/stopping/clocks.hpp"
#include "engine/run/stopping/signal_watch.hpp"
#include "kinds/kind/step_kind.hpp"
#include "kinds/step_run/running_step.hpp"
#include "lanes/fill_work.hpp"
#include "lanes/lease/held_ranges.hpp"
#include "lanes/throttle/sampler.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/engine.hpp"
#include "telling/failure/first_failure.hpp"
#include "telling/step/step_states.hpp"

namespace pgsluice::engine {

/// One run of one job, from its registration to its summary: the steps in order, with the sampler and the
/// keeper beside them. The composition root of the engine: everything that a run needs is a member here and
/// is passed on from here; what a step does is up to its kind. execute() is called once, on the thread that
/// becomes the io thread.
class Run {
 public:
  Run(pg::ConnectionTarget target, Job job, RunOptions options, EventSink& sink);
  /// A rollback: the same, from the last step to the first.
  Run(pg::ConnectionTarget target, Job job, RollbackOptions options, EventSink& sink);
  ~Run();

  /// Throws Error after the summary is published.
  ExitCode execute();

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  struct Direction {
    bool is_back = false;
    bool is_forced = false;  // RollbackOptions::force
  };
  Run(pg::ConnectionTarget target, Job job, RunOptions options, Direction direction, EventSink& sink);

  awaitable<void> story();
  awaitable<void> open();
  awaitable<OpenedRun> open_row();
  awaitable<void> look_before_writing();
  awaitable<void> run_steps();
  bool is_step_left() const;
  /// What goes wrong there may change the end's code and reason.
  awaitable<void> run_after_hook(RunOutcome& end);
  awaitable<void> undo_steps();
  awaitable<void> undo_step(RollbackAct act);
  awaitable<RunOutcome> outcome(std::exception_ptr error);
  awaitable<void> close(std::exception_ptr error);
  RunningStep running(std::size_t place, const StepKind& kind);

  /// Called as soon as the run is opened, or seems to hang before that.
  awaitable<void> sample();
  awaitable<void> show_progress();
  awaitable<void> store_log();
  event::Summary summary(const RunOutcome& end) const;
  RunOutcome outcome_by_now() const;

  // Constant after construction.
  const pg::ConnectionTarget target_;
  const RunOptions options_;
  const Direction direction_;
  const Job job_;
  const std::string run_id_;
  const std::string application_prefix_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

  // Confined to the io thread; in order of dependence, connections before what uses them.
  boost::asio::io_context io_{1};
  EventSink& sink_;
  Tunables tunables_;  // changed by the keeper
  Stop stop_;
  FirstFailure failure_;
  Gate gate_;
  Tally tally_;
  Blockers blockers_;
  InWork in_work_;
  Journal journal_;
  Clocks clocks_;
  Over over_;                         // set when the story is over
  std::set<std::int64_t> rehearsed_;  // steps whose tables nothing in this job changes before them

  pg::Connection control_;  // keeper and ledger
  pg::Connection monitor_;  // sampler
  pg::Connection steps_;    // shared by all steps, one after the other
  pg::OwnConnection own_;

  RunRow row_;
  Sampler sampler_;
  StepStates states_;
  HeldRanges ranges_;
  FillWork fills_;
  ProgressView progress_;
  std::unique_ptr<Keeper> keeper_;  // once the run is opened
  SignalWatch signals_;
  Beside beside_;
  EndInTime end_;
  JobHooks hooks_;
  bool is_opening_ = false;  // the run may already be in the ledger
  RollbackSurvey survey_;    // of a rollback
  RowCounts final_rows_;
  ExitCode ended_with_ = ExitCode::kInternal;
  std::exception_ptr error_;  // what execute() throws
};

}  // namespace pgsluice::engine
