// The fills of a Run: tables filled side by side by one pool of lanes.

#include <algorithm>

#include "base/units.hpp"
#include "engine/run/run.hpp"
#include "ledger/overview.hpp"
#include "ledger/range/lease.hpp"
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

/// What failed on no fill alone failed on all that are left.
void blame(Fills& fills, const std::exception_ptr& error) {
  if (std::any_of(fills.begin(), fills.end(), [](const auto& fill) { return !!fill->error; })) return;
  for (const auto& fill : fills) fill->error = error;
}

}  // namespace

asio::awaitable<void> Run::run_fills(std::vector<Filling> fillings) {
  Fills fills;
  tally_.begin_step();
  last_fills_ = {};
  bool is_begun = false;
  std::exception_ptr error;
  try {
    for (const auto& filling : fillings) {
      if (filling.record.state != "done" && !stop_.is_requested()) co_await begin_fill(filling, fills);
    }
    is_begun = true;
    if (!fills.empty()) co_await fill_all(fills);
  } catch (...) {
    error = std::current_exception();
    if (is_begun && !is_cut_short(error, stop_)) blame(fills, error);
  }
  for (const auto& fill : fills) {
    if (fill->is_ended) continue;
    std::string how = fill->error ? "failed" : "interrupted";
    const auto failed = co_await end_step(steps_, fill->step(), std::move(how), fill->error);
    if (!error) error = failed;
  }
  fills_ = nullptr;
  if (!fills.empty()) last_fills_ = sums_of(fills);
  if (error) std::rethrow_exception(error);
}

asio::awaitable<void> Run::begin_fill(Filling filling, Fills& fills) {
  step_name_ = filling.record.name;
  step_kind_ = filling.record.kind;
  const auto step = co_await begin_step(filling.record);
  std::function<PreparedBackfill(pg::Session&)> prepare = [=, lanes = job_.lanes](pg::Session& s) {
    auto prepared = prepare_backfill(s, filling.step, filling.record.step_id, lanes);
    cut_into_ranges(s, prepared, lanes);
    return prepared;
  };
  std::exception_ptr error;
  try {
    auto prepared = co_await keep_trying<PreparedBackfill>(steps_, prepare, journal_, stop_);
    fills.push_back(std::make_unique<Fill>(step, std::move(prepared), job_));
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    auto how = outcome(error);
    error = co_await end_step(steps_, step, std::move(how), error);
    std::rethrow_exception(error);
  }
  journal_.write(event::StepStarted{step_name_, step_kind_, step.rows.visited() > 0,
                                    fills.back()->prepared().table.rows_estimate});
}

asio::awaitable<void> Run::fill_all(Fills& fills) {
  fills_ = &fills;
  step_name_ = name_of(fills);
  warn_of_small_target(fills.front()->prepared());
  auto since = SteadyClock::now();
  while (!stop_.is_requested()) {
    const auto before = tally_.batches;
    co_await run_lanes(fills);
    if (stop_.is_requested()) co_return;
    if (tally_.batches != before) since = SteadyClock::now();
    auto left = left_of(fills);
    co_await wait_for_others(std::move(left), since);
    for (const auto& fill : fills) co_await end_if_over(steps_, *fill);
    // No range may be left, and yet a final pass be cut for rows behind the walk.
    if (left_of(fills).empty()) co_return;
  }
}

asio::awaitable<void> Run::run_lanes(Fills& fills) {
  LeaseDesk desk(fills, run_id_, journal_, tally_, stop_,
                 [this](pg::Connection& connection, Fill& fill) { return end_if_over(connection, fill); });
  LanePool lanes(io_, {target_, application_prefix_}, fills,
                 {job_, desk, gate_, journal_, tally_, stop_, blockers_});
  lanes_ = &lanes;
  sampler_.attach([&lanes] { return lanes.lane_of_pid(); },
                  [&lanes](int lane, const std::string& who) { lanes.give_way(lane, who); },
                  [&lanes](Sampler::OpenSince since) { lanes.note_transaction(since); });
  std::exception_ptr error;
  try {
    co_await lanes.run(stop_);
  } catch (...) {
    error = std::current_exception();
  }
  sampler_.detach();
  lanes_ = nullptr;
  blockers_.clear();
  if (error) std::rethrow_exception(error);
}

asio::awaitable<bool> Run::end_if_over(pg::Connection& connection, Fill& fill) {
  if (fill.is_ended || stop_.is_requested()) co_return false;
  if (fill.is_looked_at) co_return true;
  struct Looking {
    explicit Looking(bool& f) : flag(f) { flag = true; }
    ~Looking() { flag = false; }
    bool& flag;
  };
  const Looking looking(fill.is_looked_at);
  const LookSurroundings at{job_, gate_, journal_, stop_};
  const auto complete = co_await completeness(connection, fill.prepared(), fill.looks, at);
  tell(complete, fill);
  const bool is_over = complete.found == Found::kNothing || complete.found == Found::kNewOnes;
  if (!is_over) co_return true;
  std::function<RowCounts(pg::Session&)> count = [id = fill.prepared().step_id](pg::Session& s) {
    return ledger::step_counts(s, id);
  };
  const auto counts = co_await keep_trying<RowCounts>(connection, count, journal_, stop_);
  // Another lane may have been given a range of it meanwhile, or have ended it.
  if (fill.is_ended || !fill.in_use.empty()) co_return !fill.is_ended;
  fill.is_ended = true;
  fill.settle(counts);
  if (counts.unchanged > 0) tell_unchanged(fill);
  std::string how = "done";
  const auto error = co_await end_step(connection, fill.step(), std::move(how), nullptr);
  if (error) std::rethrow_exception(error);
  co_return false;
}

void Run::tell(const Completeness& complete, Fill& fill) {
  if (complete.found == Found::kGivenUp) ++fill.looks.given_up;
  const auto table = fill.prepared().table.sql();
  if (complete.found == Found::kRows) {
    ++fill.looks.found;
    journal_.write(event::Tune{"walk", "blocks", complete.how, complete.cause});
  }
  // Rows that nothing can change are left as well, which is told at the end.
  if (complete.found == Found::kNewOnes && fill.step().rows.unchanged == 0)
    journal_.warn("rows of table " + table + " still match after " + std::to_string(fill.looks.found) +
                      " sweeps: the application makes new ones",
                  "give the column a default or a trigger, and run the job again under another name");
}

void Run::tell_unchanged(const Fill& fill) {
  const auto& prepared = fill.prepared();
  const auto swallowers = prepared.swallowers.in_words();
  const auto message = base::format_count(fill.step().rows.unchanged) + " rows of table " +
                       prepared.table.sql() + " were selected and are unchanged" +
                       (swallowers.empty() ? "" : ": " + swallowers + " left them as they were");
  journal_.warn(message, kLookAtUnchanged);
  unchanged_ += (unchanged_.empty() ? "" : "; ") + message;
}

std::string Run::unchanged_reason() const {
  if (!unchanged_.empty()) return unchanged_;
  return base::format_count(final_rows_.unchanged) +
         " rows were selected by an earlier run and are unchanged: its history names table, trigger and rule";
}

void Run::warn_of_small_target(const PreparedBackfill& prepared) {
  const auto limits = within_deadlock_timeout(job_.batch, job_.throttle.lock_wait, prepared.deadlock_timeout,
                                              prepared.long_statements());
  if (limits == job_.batch) return;
  journal_.warn("batch.target " + base::duration_text(job_.batch.target) + " cannot be met, " +
                    base::duration_text(limits.target) +
                    " is used: a batch must end before the server's deadlock_timeout of " +
                    base::duration_text(prepared.deadlock_timeout),
                "raise deadlock_timeout on the server, or lower batch.target");
}

}  // namespace pgsluice::engine
