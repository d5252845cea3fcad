#include "lanes/fill_work.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "lanes/foretelling/sampling.hpp"
#include "lanes/ranges/final_pass.hpp"
#include "ledger/foretold/estimates.hpp"
#include "ledger/overview.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::vector<std::int64_t> left_of(const Fills& fills) {
  std::vector<std::int64_t> step_ids;
  for (const auto& fill : fills) {
    if (!fill->is_ended) step_ids.push_back(fill->step().record.step_id);
  }
  return step_ids;
}

/// How long the first sample of the signals may take: longer, and the step begins without sampled batches.
constexpr std::chrono::milliseconds kGateOpensIn{1'000};

/// What the step will cost, into the ledger. `pace`: 0 if no batch may run.
void foretell_step(pg::Session& session, const PreparedBackfill& step, const std::string& run_id,
                   const SamplingSite& site) {
  const auto foretold = site.pace > 0 ? foretell(session, step, site)
                                      : foretell_by_catalog(session, step, site.tunables.lanes,
                                                            "batches were held when it began");
  ledger::note_estimate(session, step.step_id, run_id, step.table.oid, foretold);
}

// Below this (16 MB) a fill takes seconds, and sampling would take as long.
constexpr std::int64_t kPagesWorthForetelling = 2'000;

/// Not for images that are put back, nor for a step that has begun.
bool is_worth_foretelling(const ledger::StepRecord& record, const PreparedBackfill& prepared) {
  return record.kind == BackfillStep::kKind && !record.ranges_cut && !prepared.sql.naming &&
         !prepared.is_delete && prepared.table.pages >= kPagesWorthForetelling;
}

/// An error that belongs to no single fill counts for all that are left.
void blame(Fills& fills, const std::exception_ptr& error) {
  if (std::any_of(fills.begin(), fills.end(), [](const auto& fill) { return !!fill->error; })) return;
  for (const auto& fill : fills) fill->error = error;
}

}  // namespace

Filling filling_of(const BackfillStep& step, ledger::StepRecord record) {
  const Prepare prepare = [step, name = record.name](pg::Session& session, std::int64_t step_id, int lanes) {
    auto named = step;
    named.name = name;
    return prepare_backfill(session, named, step_id, lanes);
  };
  return {prepare, std::move(record)};
}

asio::awaitable<void> FillWork::run(std::vector<Filling> fillings) {
  fills_.clear();
  at_.tally.begin_step();
  last_ = {};
  bool are_all_begun = false;
  std::exception_ptr error;
  try {
    for (const auto& filling : fillings) {
      if (filling.record.state != StepState::kDone && !at_.stop.is_requested()) co_await begin(filling);
    }
    are_all_begun = true;
    if (!fills_.empty()) co_await fill_all();
  } catch (...) {
    error = std::current_exception();
    if (are_all_begun && !is_cut_short(error, at_.stop)) blame(fills_, error);
  }
  for (const auto& fill : fills_) {
    if (fill->is_ended) continue;
    std::string how = fill->error ? "failed" : "interrupted";
    const auto failed = co_await at_.states.end(at_.connection, fill->step(), std::move(how), fill->error);
    if (!error) error = failed;
  }
  is_begun_ = false;
  if (!fills_.empty()) last_ = sums_of(fills_);
  fills_.clear();
  if (error) std::rethrow_exception(error);
}

asio::awaitable<double> FillWork::pace_at_start() {
  const auto until = SteadyClock::now() + kGateOpensIn;
  const std::chrono::milliseconds no_batch{0};
  co_await at_.gate.pass(no_batch, at_.tunables.lanes, at_.stop, until);
  const auto now = SteadyClock::now();
  co_return at_.stop.is_requested() ? 0 : at_.gate.pace(now);
}

asio::awaitable<void> FillWork::begin(Filling filling) {
  const auto step = co_await at_.states.begin(at_.connection, filling.record);
  const double pace = co_await pace_at_start();
  std::function<PreparedBackfill(pg::Session&)> prepare =
      [=, run_id = at_.run_id, at = at_.connections, tunables = at_.tunables,
       is_beside_others = at_.gate.decision().is_beside_others](pg::Session& s) {
        auto prepared = filling.prepare(s, filling.record.step_id, tunables.lanes);
        if (is_worth_foretelling(filling.record, prepared))
          foretell_step(
              s, prepared, run_id,
              {at.target, at.application_prefix + " samples", tunables, true, pace, is_beside_others});
        cut_into_ranges(s, prepared, tunables.lanes);
        return prepared;
      };
  std::exception_ptr error;
  try {
    auto prepared = co_await keep_trying<PreparedBackfill>(at_.connection, prepare, at_.journal, at_.stop);
    const bool names_rows = !!prepared.sql.naming;
    fills_.push_back(std::make_unique<Fill>(step, std::move(prepared), at_.tunables));
    if (names_rows) fills_.back()->named = step.rows.quarantined;  // by an earlier run
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    auto how = step_outcome(error, at_.stop);
    error = co_await at_.states.end(at_.connection, step, std::move(how), error);
    std::rethrow_exception(error);
  }
  at_.journal.write(event::StepStarted{filling.record.name, filling.record.kind, step.rows.visited() > 0,
                                       fills_.back()->prepared().table.rows_estimate});
}

asio::awaitable<void> FillWork::fill_all() {
  is_begun_ = true;
  const auto name = name_of(fills_);
  at_.states.show(name, fills_.back()->step().record.kind);
  warn_of_small_target(fills_.front()->prepared());
  auto since = SteadyClock::now();
  while (!at_.stop.is_requested()) {
    const auto before = at_.tally.batches;
    co_await run_lanes();
    if (at_.stop.is_requested()) co_return;
    if (at_.tally.batches != before) since = SteadyClock::now();
    auto left = left_of(fills_);
    co_await at_.ranges.wait_for_others(std::move(left), name, since);
    for (const auto& fill : fills_) co_await end_if_over(at_.connection, *fill);
    // Even when no range is left, a final pass may be cut for rows behind the walk.
    if (left_of(fills_).empty()) co_return;
  }
}

asio::awaitable<void> FillWork::run_lanes() {
  desk_ = std::make_unique<LeaseDesk>(
      fills_, at_.run_id, at_.journal, at_.tally, at_.stop,
      [this](pg::Connection& connection, Fill& fill) { return end_if_over(connection, fill); });
  lanes_ = std::make_unique<LanePool>(at_.io, at_.connections, fills_,
                                      LaneSurroundings{at_.tunables, *desk_, at_.gate, at_.journal, at_.tally,
                                                       at_.stop, at_.blockers, at_.connections});
  at_.sampler.attach([this] { return lanes_->lane_of_pid(); },
                     [this](int lane, const std::string& who) { lanes_->give_way(lane, who); },
                     [this](Sampler::OpenSince since) { lanes_->note_transaction(since); });
  std::exception_ptr error;
  try {
    co_await lanes_->run(at_.stop);
  } catch (...) {
    error = std::current_exception();
  }
  at_.sampler.detach();
  lanes_.reset();
  desk_.reset();
  at_.blockers.clear();
  if (error) std::rethrow_exception(error);
}

asio::awaitable<bool> FillWork::end_if_over(pg::Connection& connection, Fill& fill) {
  if (fill.is_ended || at_.stop.is_requested()) co_return false;
  if (fill.is_looked_at) co_return true;
  struct Looking {
    explicit Looking(bool& f) : flag(f) { flag = true; }
    ~Looking() { flag = false; }
    bool& flag;
  };
  const Looking looking(fill.is_looked_at);
  const LookSurroundings at{at_.tunables, at_.gate, at_.journal, at_.stop};
  const auto complete = co_await completeness(connection, fill.prepared(), fill.looks, at);
  tell(complete, fill);
  const bool is_over = complete.found == Found::kNothing || complete.found == Found::kNewOnes;
  if (!is_over) co_return true;
  std::function<RowCounts(pg::Session&)> count = [id = fill.prepared().step_id,
                                                  run_id = at_.run_id](pg::Session& s) {
    ledger::note_came_true(s, id, run_id);
    return ledger::step_counts(s, id);
  };
  const auto counts = co_await keep_trying<RowCounts>(connection, count, at_.journal, at_.stop);
  // By now another lane may have been given a range of it, or may have ended it.
  if (fill.is_ended || !fill.in_use.empty()) co_return !fill.is_ended;
  fill.is_ended = true;
  fill.settle(counts);
  if (counts.unchanged > 0) tell_unchanged(fill);
  std::string how = "done";
  const auto error = co_await at_.states.end(connection, fill.step(), std::move(how), nullptr);
  if (error) std::rethrow_exception(error);
  co_return false;
}

void FillWork::tell(const Completeness& complete, Fill& fill) {
  if (complete.found == Found::kGivenUp) ++fill.looks.given_up;
  const auto table = fill.prepared().table.sql();
  if (complete.found == Found::kRows) {
    ++fill.looks.found;
    at_.journal.write(event::Tune{"walk", "blocks", complete.how, complete.cause});
  }
  // Rows that nothing can change are left too, which is reported at the end.
  if (complete.found == Found::kNewOnes && fill.step().rows.unchanged == 0)
    at_.journal.warn("rows of table " + table + " still match after " + std::to_string(fill.looks.found) +
                         " sweeps: the application makes new ones",
                     "give the column a default or a trigger, and run the job again under another name");
}

void FillWork::tell_unchanged(const Fill& fill) {
  const auto& prepared = fill.prepared();
  const auto swallowers = prepared.swallowers.in_words();
  const auto message = base::format_count(fill.step().rows.unchanged) + " rows of table " +
                       prepared.table.sql() + " were selected and are unchanged" +
                       (swallowers.empty() ? "" : ": " + swallowers + " left them as they were");
  at_.journal.warn(message, kLookAtUnchanged);
  unchanged_ += (unchanged_.empty() ? "" : "; ") + message;
}

void FillWork::tell_wrong_estimates() {
  if (!is_begun_) return;
  for (const auto& fill : fills_) {
    if (fill->is_estimate_wrong || fill->is_ended || fill->rows_expected() > 0) continue;
    if (fill->step().rows.visited() == 0) continue;
    fill->is_estimate_wrong = true;
    const auto& table = fill->prepared().table;
    at_.journal.warn("table " + table.sql() + " holds more rows than the " +
                     base::format_count(table.rows_estimate) +
                     " that were estimated: how many are left is not known");
  }
}

void FillWork::warn_of_small_target(const PreparedBackfill& prepared) {
  const auto& asked = at_.tunables.batch;
  const auto limits = within_deadlock_timeout(asked, at_.tunables.throttle.lock_wait,
                                              prepared.deadlock_timeout, prepared.long_statements());
  if (limits == asked) return;
  at_.journal.warn("batch.target " + base::duration_text(asked.target) + " cannot be met, " +
                       base::duration_text(limits.target) +
                       " is used: a batch must end before the server's deadlock_timeout of " +
                       base::duration_text(prepared.deadlock_timeout),
                   "raise deadlock_timeout on the server, or lower batch.target");
}

}  // namespace pgsluice::engine
