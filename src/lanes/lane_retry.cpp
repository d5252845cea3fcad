// What a Lane does after a batch failed for a reason that may pass.

#include "lanes/lane.hpp"
#include "pg/sqlstate.hpp"

namespace pgsluice::engine {
namespace {

// After a batch that missed rows and left dead versions of all of them: at most one in so many does.
constexpr int kLockingBatches = 50;

/// Once it had moved its position: what it did to the rows took too long.
bool is_own_timeout(const BatchOutcome& outcome) {
  return outcome.disposition == pg::Disposition::kRetryable && outcome.sqlstate == pg::kQueryCanceled &&
         !outcome.is_our_cancel && !outcome.is_somebodys_cancel && !outcome.position.empty();
}

/// A page that is walked by blocks, or a row.
ledger::NewRange apart_of(const ledger::Range& range, const pg::Key& position,
                          const std::optional<BlockWork>& blocks) {
  if (!blocks) return {range.position, position, 1, range.walk};
  // A pass takes only its share of a page; a sweep takes whatever still matches, and counts what it changes.
  auto from = walk::BlockPosition::of(*range.position);
  from.group.reset();
  from.block = blocks->batch.first;
  auto to = from;
  to.block = blocks->batch.end;
  return {from.key(), to.key(), 0, ledger::RangeWalk::kSweep};
}

}  // namespace

void Lane::note_too_slow(BatchOutcome& outcome, std::int64_t rows) {
  const bool is_alone = blocks_ ? blocks_->batch.end - blocks_->batch.first <= 1 : rows == 1;
  if (outcome.disposition == pg::Disposition::kCommitted) alone_tries_ = 0;
  if (!is_alone || is_yielding_ || !is_own_timeout(outcome)) return;
  if (++alone_tries_ < kAloneTriesMax) return;
  alone_tries_ = 0;
  outcome.disposition = pg::Disposition::kFatal;
  outcome.message =
      "alone it takes longer than a batch may, as its statement_timeout says: triggers and "
      "foreign keys that act on it count too";
}

RetryFacts Lane::retry_facts(const ledger::Range& range, const BatchOutcome& outcome,
                             std::int64_t rows) const {
  RetryFacts facts;
  facts.is_yielding = is_yielding_;
  facts.is_timeout = pg::is_timeout(outcome.sqlstate);
  const auto seen = at_.blockers.of(number_, last_began_);
  const bool is_lock = outcome.sqlstate == pg::kLockNotAvailable;
  // Before it has moved its position, a batch waits for a table, its own or one of the ledger's.
  facts.is_table_locked = is_lock && (outcome.position.empty() || (seen && seen->is_for_table));
  facts.is_row_locked = is_lock && !facts.is_table_locked;
  facts.is_connection_lost = outcome.is_connection_lost;
  facts.is_searching = bisection_.is_searching();
  facts.is_last_row = blocks_ ? blocks_->batch.is_last : outcome.position == range.upper;
  facts.is_put_off = times_put_off_ > 0;
  facts.may_set_apart = at_.desk.may_put_off();
  facts.rows = blocks_ && blocks_->batch.end - blocks_->batch.first <= 1 ? 1 : rows;
  facts.attempt = attempt_;
  return facts;
}

std::string Lane::blocked_by(const BatchOutcome& outcome, std::int64_t rows) const {
  const auto& table = fill_->prepared().table;
  const auto seen = at_.blockers.of(number_, last_began_);
  std::string what = "a row of table " + table.sql();
  if (outcome.position.empty() || (seen && seen->is_for_table)) {
    what = "table " + table.sql();
  } else if (rows == 1 && !blocks_) {
    what = "row " + pg::display(outcome.position) + " of table " + table.sql();
  }
  return what + " is locked by " + (seen ? seen->who : "another session");
}

boost::asio::awaitable<Lane::Next> Lane::on_retryable(ledger::Range& range, const BatchOutcome& outcome,
                                                      std::int64_t rows) {
  ++at_.tally.retries;
  if (outcome.is_missing_rows) locking_batches_ = kLockingBatches;
  const auto facts = retry_facts(range, outcome, rows);
  const auto retry = next_try(facts);
  is_yielding_ = false;
  std::string why = outcome.message;
  if (facts.is_row_locked || facts.is_table_locked) {
    why = blocked_by(outcome, facts.rows);
    at_.blockers.gave_up(why, std::chrono::steady_clock::now());
  }
  if (retry == Retry::kSmaller)
    tune(facts.is_yielding ? sizer().yield_to_waiter(rows) : sizer().shrink_after_timeout(rows));
  if (retry == Retry::kBisect) bisection_.on_fault(rows);
  // Halving needs no rest between attempts: it does not disturb the session that holds the row.
  const bool is_found_soon = facts.is_row_locked && retry != Retry::kAgain;
  backoff_ = is_found_soon ? kBackoffFirst : jitter_.next(attempt_).value_or(kBackoffMax);
  if (alone_tries_ > 0) backoff_ = kAloneRest;
  const auto pause =
      retry == Retry::kLater || retry == Retry::kSetApart ? std::chrono::milliseconds{0} : backoff_;
  at_.journal.write(event::BatchFailed{range.token.range_id, number_, outcome.sqlstate, why, attempt_,
                                       retry_text(retry), std::chrono::duration<double>(pause).count()});
  ++attempt_;
  if (retry == Retry::kSetApart) co_return co_await set_apart(range, outcome, why);
  if (retry == Retry::kLater) {
    backoff_ = {};
    co_return Next::kPutOff;
  }
  // The position in memory is worthless on another connection: the server may have crashed in between.
  co_return outcome.is_connection_lost || outcome.is_session_spent ? Next::kLeaseAgain : Next::kGoOn;
}

boost::asio::awaitable<Lane::Next> Lane::set_apart(ledger::Range& range, const BatchOutcome& outcome,
                                                   const std::string& why) {
  backoff_ = {};
  attempt_ = 1;
  bisection_.on_set_aside();
  const auto apart = apart_of(range, outcome.position, blocks_);
  if (!co_await at_.desk.set_apart(connection_, *fill_, range, outcome.position, apart))
    co_return Next::kLeaseAgain;
  at_.journal.warn(why + "; it is left for later",
                   "end that session, or wait: the run continues with all other rows");
  range.position = outcome.position;
  co_return Next::kGoOn;
}

}  // namespace pgsluice::engine
