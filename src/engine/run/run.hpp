#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "engine/run/clocks.hpp"
#include "engine/run/keeper.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/retype/graph/retype.hpp"
#include "lanes/fill.hpp"
#include "lanes/lane_pool.hpp"
#include "lanes/pace/blockers.hpp"
#include "lanes/pace/gate.hpp"
#include "lanes/pace/sampler.hpp"
#include "lanes/ranges/final_pass.hpp"
#include "ledger/jobs.hpp"
#include "pg/connection.hpp"
#include "pgsluice/engine.hpp"
#include "telling/journal.hpp"
#include "telling/step_in_work.hpp"
#include "telling/stop.hpp"
#include "telling/tally.hpp"

namespace pgsluice::engine {

/// How a run ends that came to its end, of rows that stayed as they were.
inline constexpr const char* kRowsUnchanged = "done, rows unchanged";
inline constexpr const char* kLookAtUnchanged =
    "see what it does to such rows; mend it or disable it, then run the job again under another name";

/// A connection that the run's end has to know of, while it lives.
class Lent {
 public:
  Lent(pg::Connection*& place, pg::Connection& connection) : place_(place) { place_ = &connection; }
  ~Lent() { place_ = nullptr; }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

 private:
  pg::Connection*& place_;
};

/// One run of one job, from its registration to its summary: the steps in order, with the sampler and the
/// keeper beside them. The composition root of the engine: everything that a run needs is a member here and
/// handed out from here. execute() is called once, on the thread that becomes the io thread.
class Run {
 public:
  Run(pg::ConnectionTarget target, Job job, RunOptions options, EventSink& sink);
  ~Run();

  /// Throws Error after the summary is published.
  ExitCode execute();

  /// VACUUM or ANALYZE, outside of a transaction.
  struct Vacuum {
    std::string sql;
  };
  /// Waits until every transaction that runs now is over.
  struct Fence {};
  /// What has a row of its own in the ledger: a step of the job, or an act of a retype.
  using Work = std::variant<SqlStep, IndexStep, BackfillStep, VerifyStep, RetypeStep, Vacuum, Fence>;
  struct Filling {
    BackfillStep step;
    ledger::StepRecord record;
  };

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  awaitable<void> story();
  awaitable<void> open();
  awaitable<void> run_steps();
  awaitable<void> run_work(Work work, ledger::StepRecord record);
  /// The story of each kind of work; one that is missing here does not compile.
  awaitable<void> run_kind(SqlStep step, ledger::StepRecord record);
  awaitable<void> run_kind(IndexStep step, ledger::StepRecord record);
  awaitable<void> run_kind(BackfillStep step, ledger::StepRecord record);
  awaitable<void> run_kind(VerifyStep step, ledger::StepRecord record);
  awaitable<void> run_kind(RetypeStep step, ledger::StepRecord record);
  awaitable<void> run_kind(Vacuum work, ledger::StepRecord record);
  awaitable<void> run_kind(Fence work, ledger::StepRecord record);
  using Story = std::function<awaitable<void>()>;
  /// Tells ledger and event log of a story's begin and end. REQUIRES: both outlive it.
  awaitable<void> run_told(const ledger::StepRecord& record, const Story& story);
  /// Tells the ledger that the step is in work.
  awaitable<StepInWork> begin_step(ledger::StepRecord record);
  /// Tells ledger and event log how it ended. Returns `error`, or what kept the ledger from being told.
  awaitable<std::exception_ptr> end_step(pg::Connection& connection, StepInWork step, std::string outcome,
                                         std::exception_ptr error);
  std::string outcome(const std::exception_ptr& error) const;

  /// Fills tables side by side, each a step or act of its own: one for a backfill step.
  awaitable<void> run_fills(std::vector<Filling> fillings);
  awaitable<void> begin_fill(Filling filling, Fills& fills);
  awaitable<void> fill_all(Fills& fills);
  awaitable<void> run_lanes(Fills& fills);
  /// Ends a fill of which no range is left, if no row is. False: it has ended, or the run is to stop.
  awaitable<bool> end_if_over(pg::Connection& connection, Fill& fill);
  void tell(const Completeness& complete, Fill& fill);
  /// Warns of rows that a trigger or rule left as they were, and keeps it for the summary.
  void tell_unchanged(const Fill& fill);
  std::string unchanged_reason() const;
  void warn_of_small_target(const PreparedBackfill& prepared);

  awaitable<void> run_sql(const SqlStep& step, std::int64_t step_id);
  awaitable<void> run_index(const IndexStep& step, ledger::StepRecord record);
  awaitable<void> run_verify(const VerifyStep& step, std::int64_t step_id);
  awaitable<void> run_retype(const RetypeStep& step, ledger::StepRecord record);
  /// Before the first step: what a retype could lose, of tables that no earlier step makes.
  awaitable<void> look_before_writing();
  /// Reads what could be lost, at the gate's pace, and refuses the step if something would be.
  awaitable<void> refuse_losses(RetypeStep step, steps::retype::Retype retype);
  /// Rehearses the step, reads what it could lose, and refuses it if there is anything to be said.
  awaitable<void> refuse_beforehand(RetypeStep step, std::int64_t step_id);
  awaitable<void> run_acts(std::vector<Work> works, std::vector<ledger::StepRecord> records);
  awaitable<void> run_vacuum(Vacuum work, std::int64_t step_id);
  awaitable<void> run_fence(std::int64_t step_id);
  awaitable<void> cut_over(RetypeStep step, std::int64_t step_id);

  /// Throws the Error of a statement that failed for good, with what stands nevertheless.
  awaitable<void> fail_statement(pg::Failure failure);
  awaitable<void> name_blockers(std::vector<steps::DdlStatement> statements, std::string failure, int attempt,
                                std::chrono::milliseconds wait);
  awaitable<void> build(pg::Connection& own, std::string sql, std::string lock, int attempt);

  /// Leases the one range of a step without keys; nullopt if stop is requested or the step is done by another
  /// run.
  awaitable<std::optional<ledger::Range>> lease_single(pg::Connection& connection, std::int64_t step_id);
  /// Waits for the ranges that other live runs hold. True: none is left. Throws Error(kRangesHeld).
  awaitable<bool> wait_for_others(std::vector<std::int64_t> step_ids,
                                  std::chrono::steady_clock::time_point since);
  awaitable<ledger::Remaining> remaining(std::vector<std::int64_t> step_ids);
  /// What the ledger says of all steps, other runs' work included.
  awaitable<void> count_rows();
  awaitable<void> close(ExitCode code, std::string outcome);
  /// Of a run that was told to stop while it opened: it may be in the ledger, or not.
  awaitable<void> close_unopened();

  awaitable<void> watch_signals();
  /// Beside everything else, and without the server: looks at the clocks; once the run is to stop, at its
  /// grace.
  awaitable<void> watch_end();
  void heed_signals();
  void end_in_time(std::chrono::steady_clock::time_point now);
  /// Why what is in work has to end now; empty: it may finish.
  std::string urgency(std::chrono::steady_clock::time_point now) const;
  /// Ends whatever is in work on the server.
  void abort(std::chrono::steady_clock::time_point now);
  /// Ends the statement in work that an operator's cancel does not wait for, if there is one.
  void cut_statement(std::chrono::steady_clock::time_point now);
  void tell_abort(const std::string& why);
  /// What the abort cuts short, in words.
  std::string in_work() const;
  /// Of a run whose server does not answer: ends the process.
  awaitable<void> leave();
  /// Work beside the story, which waits for its end. What it fails by ends the run.
  void start_beside(const char* what, awaitable<void> work);
  void note_beside(const char* what, const std::exception_ptr& error);
  /// As soon as the run is opened, or seems to hang before that.
  awaitable<void> sample();
  awaitable<void> show_progress(const Over& over);
  /// Warns once of each table of which more rows were visited than were estimated.
  void tell_wrong_estimates();
  Progress progress() const;
  std::string progress_text() const;

  struct Ending {
    ExitCode code = ExitCode::kWorkLeft;
    std::string reason;
    std::string hint;
  };
  /// By what it failed, or else by what asked it to end.
  Ending ending(const std::exception_ptr& error) const;
  /// Also while its story has not come to its end; nullptr: nothing has failed.
  std::exception_ptr first_failure() const;
  ExitCode exit_code() const;
  static const char* outcome_text(ExitCode code);
  event::Summary summary(ExitCode code, const std::string& outcome, const std::string& reason,
                         const std::string& hint) const;

  // Constant after construction.
  pg::ConnectionTarget target_;
  RunOptions options_;
  std::string run_id_;
  std::string application_prefix_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

  // Confined to the io thread; the order is that of dependence, connections last: their threads end first.
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  Job job_;  // steps constant, tunables moved by the keeper
  Stop stop_;
  Stop late_;  // the clocks' word once everything is over
  Gate gate_;
  Tally tally_;
  Blockers blockers_;
  Journal journal_;
  EventSink& sink_;
  Clocks clocks_;
  ledger::JobRecord record_;
  bool is_opening_ = false;
  bool is_registered_ = false;
  Over over_;                // the story is
  bool is_closing_ = false;  // nothing is in work any more
  bool has_ended_ = false;
  ExitCode ended_with_ = ExitCode::kInternal;
  int beside_ = 0;  // coroutines beside the story that have not ended
  Wakeup beside_over_;
  std::exception_ptr beside_failure_;  // of one of them, the first
  int signals_seen_ = 0;
  std::optional<std::chrono::steady_clock::time_point> drains_since_, aborts_since_, aborted_at_;
  bool is_closed_beside_ = false;     // by the abort, as the story did not end
  std::string cut_;                   // what was in work when it came to that
  std::set<std::int64_t> looked_at_;  // retypes, by step: nothing of this job changes their tables before
  int step_number_ = 0;
  std::string step_name_;
  std::string step_kind_;
  FillSums last_fills_;  // what the step's fills came to, once they are not in work any more
  int ranges_left_ = 0;
  Fills* fills_ = nullptr;         // in work
  LanePool* lanes_ = nullptr;      // likewise
  pg::Connection* own_ = nullptr;  // of an index build or VACUUM, which needs a session of its own
  std::exception_ptr failure_;     // the first, as soon as a step or the story knows of it
  std::exception_ptr error_;
  RowCounts final_rows_;
  std::string unchanged_;  // of which tables, and by what, as far as this run has seen it

  pg::Connection control_;  // keeper and ledger
  pg::Connection monitor_;  // sampler
  pg::Connection steps_;    // sql, verify, preparation
  std::unique_ptr<Keeper> keeper_;
  Sampler sampler_;
};

}  // namespace pgsluice::engine
