#include "lanes/lane.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "lanes/batch/block_batch.hpp"
#include "lanes/batch/source_reader.hpp"
#include "lanes/ranges/recut.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {
namespace {

// Share of the requested blocks from which a batch says something about its size.
constexpr double kWholeBatch = 0.75;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

// The estimate may be wrong where all rows along the key are walked.
constexpr std::int64_t kRowsOfFinalMin = 50;

std::string row_in_words(const pg::Table& table, const pg::Key& key) {
  return "row " + pg::display(key) + " of table \"" + table.schema + "." + table.name + "\"";
}

/// A batch has a position once it has moved it: before that it has updated no rows.
bool blames_a_row(const BatchOutcome& outcome) {
  if (outcome.disposition != pg::Disposition::kFatal) return false;
  if (outcome.sqlstate == pg::kQueryCanceled) return true;  // only note_too_slow() calls it fatal
  return outcome.position.empty() ? pg::is_row_fault(outcome.sqlstate)
                                  : pg::is_row_fault_of_update(outcome.sqlstate);
}

/// The error with which a batch that failed for good ends the run.
Error error_of_batch(const BatchOutcome& outcome, const pg::Table& table) {
  const auto words =
      "a batch on table \"" + table.schema + "." + table.name + "\" failed: " + outcome.message;
  const auto error = error_of(pg::Failure(outcome.sqlstate, words, false), Asker::kRun);
  if (error.code() != ExitCode::kFailed) return error;
  std::string hint = "correct the cause, then run again: the job continues where it stopped";
  if (outcome.sqlstate == pg::kDiskFull)
    hint = "free space on the server's disk, then run again: the job continues where it stopped";
  if (outcome.sqlstate.starts_with("42"))
    hint = "the table or an expression no longer matches: compare it with the job file";
  return {error.code(), error.what(), hint};
}

}  // namespace

Lane::Lane(int number, pg::Connection& connection, LaneSurroundings surroundings)
    : number_(number),
      connection_(connection),
      at_(surroundings),
      jitter_{kBackoffFirst, kBackoffMax, base::Backoff::kNoLimit, std::random_device{}()} {}

boost::asio::awaitable<void> Lane::work() {
  while (!is_draining()) {
    auto leased = co_await at_.desk.next(connection_, number_);
    if (!leased) co_return;
    fill_ = leased->fill;
    co_await walk(std::move(leased->range), leased->times_put_off);
    forget_set_aside();
    fill_ = nullptr;
  }
}

std::int64_t Lane::rows_wanted(const ledger::Range& range) {
  if (set_aside_ || times_put_off_ > 0) return 1;  // a row that was searched for and found
  auto rows = sizer().rows();
  // A range of a few rows that moved: looking for its end further on would read many rows that are already
  // right.
  if (range.walk == ledger::RangeWalk::kFinal && range.rows_expected > 0)
    rows = std::min(rows, std::max(range.rows_expected, kRowsOfFinalMin));
  return bisection_.rows(rows);
}

boost::asio::awaitable<void> Lane::walk(ledger::Range range, int times_put_off) {
  bisection_ = {};
  times_put_off_ = times_put_off;
  is_sweep_ = range.walk == ledger::RangeWalk::kSweep;
  attempt_ = 1;
  for (;;) {
    co_await sleep_unless_stopped(std::exchange(backoff_, {}), at_.stop);
    auto turn = co_await at_.gate.pass(std::exchange(last_batch_, {}), at_.tunables.lanes, at_.stop,
                                       Gate::TimePoint::max(), rows_wanted(range));
    if (is_draining()) {
      turn.end();
      co_await at_.desk.give_back(connection_, *fill_, range.token, false);
      co_return;
    }
    const auto wanted = std::min(turn.rows(), rows_wanted(range));  // the size may have changed meanwhile
    auto outcome = co_await attempt(range, wanted, std::move(turn));
    const auto rows = outcome.asked > 0 ? outcome.asked : wanted;
    note_too_slow(outcome, rows);
    heed_cancel(outcome);
    Next next = Next::kLeaseAgain;
    const bool is_cut_anew = co_await recut_if_misfit(range, outcome);
    if (is_cut_anew) {
      attempt_ = 1;  // the range is over, others have replaced it
    } else if (outcome.disposition == pg::Disposition::kCommitted) {
      next = on_committed(range, outcome, rows);
    } else if (outcome.is_fenced) {
      attempt_ = 1;  // nothing failed: the range was cut or taken over
    } else if (outcome.disposition != pg::Disposition::kFatal) {
      next = co_await on_retryable(range, outcome, rows);
    } else if (blames_a_row(outcome) && !blocks_) {
      next = on_row_fault(range, outcome, rows);
    } else {
      fail(outcome);
    }
    if (next == Next::kPutOff) {
      at_.desk.put_off(*fill_, range.token, times_put_off_ + 1);
      co_return;
    }
    if (next == Next::kRangeOver) {
      co_await at_.desk.give_back(connection_, *fill_, range.token, true);
      co_return;
    }
    if (next == Next::kLeaseAgain) {
      auto again = co_await at_.desk.again(connection_, *fill_, range.token);
      if (!again) co_return;
      // This cannot be a tail that was leased but not yet fixed: next() fixes it before any batch.
      range = std::move(*again);
    }
  }
}

boost::asio::awaitable<BatchOutcome> Lane::attempt(ledger::Range range, std::int64_t rows, Gate::Turn turn) {
  const auto& prepared = fill_->prepared();
  BatchWork work;
  work.keyset = prepared.keyset ? &*prepared.keyset : nullptr;
  work.sql = &statements();
  work.is_always_instead = prepared.swallowers.is_always_instead();
  work.blocks = blocks_ = next_blocks(range, rows);
  work.step_id = prepared.step_id;
  work.range = std::move(range);
  work.rows = rows;
  work.limits = batch_limits(at_.tunables.batch.target, at_.tunables.throttle.lock_wait,
                             prepared.deadlock_timeout, prepared.long_statements());
  // Batches that commit asynchronously leave their WAL to whoever commits next: 10 to 15 times the p99 of a
  // light application (docs/benchmarks.md). Nobody else there: nobody waits for it.
  work.limits.is_synchronous = at_.gate.decision().is_beside_others;
  work.set_aside = set_aside_;
  work.source = source();
  if (const auto misfit = misfit_of(work)) co_return *misfit;
  std::function<BatchOutcome(pg::Session&)> run = [work = std::move(work)](pg::Session& s) {
    return run_batch(s, work);
  };

  rows_in_flight_ = rows;
  in_batch_since_ = last_began_ = std::chrono::steady_clock::now();
  BatchOutcome outcome;
  try {
    outcome = co_await connection_.run<BatchOutcome>(std::move(run));
  } catch (const pg::Failure& f) {  // could not connect: nothing was sent
    outcome.disposition = pg::Disposition::kRetryable;
    outcome.is_connection_lost = true;
    outcome.is_our_cancel = f.cancelled_by() == pg::CancelledBy::kUs;
    outcome.sqlstate = f.sqlstate();
    outcome.message = f.what();
  }
  rows_in_flight_ = 0;
  in_batch_since_.reset();
  if (outcome.disposition == pg::Disposition::kCommitted)
    turn.worked(outcome.duration, blocks_ ? rows : outcome.walked);
  co_return outcome;
}

std::shared_ptr<SourceReader> Lane::source() {
  const auto& prepared = fill_->prepared();
  if (!prepared.copying) return nullptr;
  if (source_of_ != fill_ || !source_) {
    const auto name = at_.connections.application_prefix + " source " + std::to_string(number_);
    source_ =
        std::make_shared<SourceReader>(prepared.copying, *prepared.keyset, at_.connections.target, name);
    source_of_ = fill_;
  }
  return source_;
}

const BatchSql& Lane::statements() {
  const auto& sql = fill_->prepared().sql;
  if (locking_batches_ == 0 || !sql.locking) return sql;
  --locking_batches_;
  return *sql.locking;
}

std::optional<BatchOutcome> Lane::misfit_of(const BatchWork& work) const {
  if (work.blocks && work.blocks->heap.oid == 0) {  // a partition that was detached or dropped
    BatchOutcome outcome;
    outcome.disposition = pg::Disposition::kRetryable;
    outcome.misfit = Misfit::kHeapRewritten;
    return outcome;
  }
  if (work.blocks || work.keyset) return std::nullopt;
  throw Error(ExitCode::kRefused,
              "the key along which table \"" + fill_->prepared().table.name + "\" is walked no longer exists",
              "restore the unique index, then run again: the job continues where it stopped");
}

std::optional<BlockWork> Lane::next_blocks(const ledger::Range& range, std::int64_t rows) {
  if (!ledger::is_by_blocks(range.walk)) return std::nullopt;
  auto& interleaving = fill_->interleaving();
  const auto at = walk::BlockPosition::of(*range.position);
  const bool is_sweep = range.walk == ledger::RangeWalk::kSweep;
  const auto weave = is_sweep ? walk::Weave{1, 1, interleaving.pages(rows, 1, 0)} : interleaving.weave(rows);
  const int passes = at.group ? std::min(at.group->weave.passes, weave.passes) : weave.passes;
  BlockWork work;
  work.is_sweep = is_sweep;
  work.table_oid = fill_->prepared().table.oid;
  if (const auto* heap = fill_->prepared().heap_of(at.heap)) work.heap = *heap;
  work.is_sampled = fill_->prepared().sql.is_sampling && random_() % kBatchesPerSample == 0;
  work.batch = walk::next_block_batch(at, walk::BlockPosition::of(*range.upper).block, weave,
                                      interleaving.pages(rows, passes, at.pass()));
  return work;
}

void Lane::learn(const BlockWork& blocks, std::int64_t rows, const BatchOutcome& outcome) {
  const auto& batch = blocks.batch;
  const auto whole = fill_->interleaving().pages(rows, batch.weave.passes, batch.pass);
  const auto share = static_cast<double>(batch.end - batch.first) / static_cast<double>(whole);
  // For a batch over fewer blocks than requested, only the time counts, and only if it was far too long.
  const auto walked = share >= kWholeBatch ? rows : std::min<std::int64_t>(rows - 1, outcome.changed);
  if (batch.weave.passes == 1) tune(sizer().note_changed(outcome.visited, outcome.changed, outcome.duration));
  if (!bisection_.is_searching()) tune(sizer().record(rows, walked, outcome.duration));
  if (blocks.is_sweep) return;  // it finds few rows, on pages with free space
  const walk::BatchShown shown{outcome.changed, outcome.hot, outcome.duration, outcome.wal,
                               std::chrono::steady_clock::now() - outcome.duration};
  if (const auto change = fill_->interleaving().record(batch, shown))
    at_.journal.write(fill_->event_of(*change));
}

boost::asio::awaitable<bool> Lane::recut_if_misfit(const ledger::Range& range, const BatchOutcome& outcome) {
  if (!ledger::is_by_blocks(range.walk)) co_return false;
  if (outcome.misfit == Misfit::kNone && !blames_a_row(outcome)) co_return false;
  const auto& prepared = fill_->prepared();
  if (outcome.misfit == Misfit::kStillMatches && prepared.definition.walk != Walk::kAuto)
    throw Error(ExitCode::kRefused,
                "a row of table \"" + prepared.table.schema + "." + prepared.table.name +
                    "\" that was changed matches `where` again: a walk by blocks would change it twice",
                "write walk = \"keyset\", or a `where` that a row no longer matches once it is done");
  if (outcome.misfit != Misfit::kHeapRewritten && !prepared.keyset) co_return false;  // fail() says the rest
  std::function<Recut(pg::Session&)> cut = [step = &prepared, lanes = at_.tunables.lanes, walk = range.walk,
                                            heap = walk::BlockPosition::of(*range.position).heap,
                                            misfit = outcome.misfit](pg::Session& s) {
    return cut_anew(s, *step, lanes, walk, heap, misfit);
  };
  const auto done = co_await keep_trying<Recut>(connection_, cut, at_.journal, at_.stop);
  const std::string fault = outcome.message.empty() ? "" : ": " + outcome.message;
  if (done.is_heap_gone) {
    at_.journal.warn(done.cause, "other rows of the batch are left as they are");
  } else if (!done.cause.empty()) {
    at_.journal.write(event::Tune{"walk", "blocks", done.to, done.cause + fault});
  }
  co_return true;
}

std::int64_t Lane::already_right(const BatchOutcome& outcome) const {
  // The first pass counts all rows and changes its share of those that match. The others are assumed to be
  // like it until the ledger has the last one's counts.
  const auto passes = blocks_ && !blocks_->is_sweep ? blocks_->batch.weave.passes : 1;
  return std::max<std::int64_t>(
      0, outcome.visited - passes * outcome.changed - outcome.unchanged - outcome.quarantined);
}

Lane::Next Lane::on_committed(ledger::Range& range, const BatchOutcome& outcome, std::int64_t rows) {
  last_batch_ = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.duration);
  const RowCounts done{outcome.changed, already_right(outcome), outcome.quarantined, outcome.unchanged};
  fill_->add(done);
  fill_->named += outcome.named;
  at_.blockers.clear();
  at_.tally.batch_committed(done, outcome.duration, std::chrono::steady_clock::now());
  event::Batch told{range.token.range_id,      number_, outcome.changed, outcome.visited,
                    seconds(outcome.duration), attempt_};
  if (blocks_) {
    const auto wal = outcome.wal ? std::optional(outcome.wal->bytes) : std::nullopt;
    at_.tally.updates_told(outcome.changed, outcome.hot, wal);
    told.rows_hot = outcome.hot;
    if (wal) told.wal_bytes = std::llround(*wal);
  }
  at_.journal.write(std::move(told));
  range.position = outcome.position;
  range.rows_visited += outcome.visited;
  if (set_aside_) {
    forget_set_aside();
    bisection_.on_set_aside();
  } else {
    bisection_.on_committed(rows);
    if (blocks_) {
      learn(*blocks_, rows, outcome);
    } else if (!bisection_.is_searching()) {
      tune(sizer().note_changed(outcome.walked, outcome.changed, outcome.duration));
      tune(sizer().record(rows, outcome.walked, outcome.duration));
    }
  }
  attempt_ = 1;
  is_yielding_ = false;
  if (outcome.is_range_done) return Next::kRangeOver;
  return outcome.is_session_spent ? Next::kLeaseAgain : Next::kGoOn;
}

Lane::Next Lane::on_row_fault(const ledger::Range& range, const BatchOutcome& outcome, std::int64_t rows) {
  const bool is_single = bisection_.on_fault(rows) == walk::Bisection::Verdict::kSingleRow;
  at_.journal.write(event::BatchFailed{range.token.range_id, number_, outcome.sqlstate, outcome.message,
                                       attempt_, is_single ? "quarantine" : "bisect", 0});
  if (!is_single) return outcome.is_session_spent ? Next::kLeaseAgain : Next::kGoOn;
  forget_set_aside();  // its row is gone, otherwise this would not be another one
  const auto faults = fill_->step().rows.quarantined - fill_->named + fill_->setting_aside;
  if (faults >= at_.tunables.max_quarantined) {
    throw Error(ExitCode::kFailed,
                row_in_words(fill_->prepared().table, outcome.position) +
                    (fill_->prepared().is_delete ? " cannot be deleted: " : " cannot be changed: ") +
                    outcome.message + " (SQLSTATE " + outcome.sqlstate + ")",
                "correct the row or the expression, or allow more than max_quarantined = " +
                    std::to_string(at_.tunables.max_quarantined) +
                    "; then run again: the job continues at this row");
  }
  set_aside_ = SetAside{outcome.position, outcome.sqlstate, outcome.message};
  ++fill_->setting_aside;
  return outcome.is_session_spent ? Next::kLeaseAgain : Next::kGoOn;
}

void Lane::forget_set_aside() {
  if (set_aside_) --fill_->setting_aside;
  set_aside_.reset();
}

void Lane::heed_cancel(const BatchOutcome& outcome) const {
  if (outcome.is_our_cancel && at_.stop.is_requested()) throw cut_short(at_.stop);
  if (outcome.is_somebodys_cancel)
    throw cancelled_by_somebody("a batch of step \"" + fill_->step().record.name + "\"",
                                pg::Failure(outcome.sqlstate, outcome.message, false));
}

void Lane::fail(const BatchOutcome& outcome) const {
  throw error_of_batch(outcome, fill_->prepared().table);
}

void Lane::tune(const std::optional<walk::Tune>& change) {
  if (change) at_.journal.write(fill_->event_of(*change));
}

boost::asio::awaitable<void> Lane::yield_to(std::string who) {
  if (!is_in_batch()) {  // the look for rows left behind can be cancelled too; nothing else can
    if (co_await connection_.cancel())
      at_.journal.warn("lane " + std::to_string(number_) +
                       " gives way, and looks for rows left behind again: " + who);
    co_return;
  }
  if (is_yielding_ || !sizer().may_be_cancelled(rows_in_flight_)) co_return;
  is_yielding_ = true;
  const bool was_sent = co_await connection_.cancel();
  if (was_sent) {
    at_.journal.warn("lane " + std::to_string(number_) + " gives way: " + who);
  } else {
    is_yielding_ = false;  // the batch was over before the cancel
  }
}

}  // namespace pgsluice::engine
