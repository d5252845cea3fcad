#include "lanes/ranges/look.hpp"

#include <algorithm>

#include "pg/activity/activity.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/connection/transaction.hpp"
#include "table/block_ranges.hpp"
#include "table/block_update.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// At least 512 kB, which a cold disk reads in time: with less, the round trip would take longer than the
// read. Beyond that as the target allows, so that no pause after a piece reaches
// idle_in_transaction_session_timeout.
constexpr std::int64_t kPagesMin = 64;
constexpr std::int64_t kPagesMax = 65'536;  // 512 MB
constexpr milliseconds kTarget{50};

// A piece that the gate has not let through by then goes ahead anyway: the snapshot must not grow old for
// nothing.
constexpr milliseconds kWaitMost{500};

// No statement_timeout: a piece is as short as its target, unless an expression is slow.
constexpr pg::TransactionLimits kLookLimits{milliseconds{1'000}, milliseconds{0}, true, true};

/// A piece is sized like a batch, but in pages.
BatchLimits piece_limits(milliseconds target) {
  return {kPagesMin, target, kPagesMin, kPagesMax};
}

milliseconds milliseconds_since(SteadyClock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - then);
}

}  // namespace

std::string begin_look_sql(const pg::Table& table) {
  return pg::begin_sql(kLookLimits) + "; LOCK TABLE " + table.sql() + " IN ACCESS SHARE MODE";
}

std::string any_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap) {
  return "SELECT EXISTS (SELECT " + steps::rows_left(table, step, heap) + ")";
}

std::string keys_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                          const walk::Keyset& keyset) {
  return keyset.slices_of(steps::rows_left(table, step, heap), RowsLeft::kAloneMost + 1);
}

Look::Look(const PreparedBackfill& step) : step_(step), pages_(piece_limits(kTarget)) {}

void Look::begin(pg::Session& session) {
  try {
    session.exec(begin_look_sql(step_.table));
    // Sent separately, because plan prints the statement before it.
    if (const auto check = session.client_check(); !check.empty()) session.exec(check);
    heaps_ = pg::read_heaps(session, step_.table.oid);
  } catch (...) {
    pg::rollback(session);
    throw;
  }
  // Rows of a partition that has been attached since then are new ones; partitions that cannot be changed are
  // left out.
  std::erase_if(heaps_, [&](const pg::HeapFacts& heap) {
    return !step_.heap_of(identity_of(heap)) && (heap.access_method != "heap" || !heap.is_changeable);
  });
  backend_pid_ = session.backend_pid();
  asked_ = SteadyClock::now();
}

bool Look::is_over() const {
  return heap_ >= heaps_.size() || left_.rows > (step_.keyset ? RowsLeft::kAloneMost : 0);
}

void Look::read(pg::Session& session, milliseconds target) {
  // Another session would have another snapshot.
  is_broken_ = session.backend_pid() != backend_pid_;
  if (is_broken_) return;
  const auto began = SteadyClock::now();
  pages_.retarget(piece_limits(std::min(target, kTarget)));
  const auto& heap = heaps_[heap_];
  walk::BlockBatch piece;
  piece.first = block_;
  piece.end = block_ + pages_.rows();
  const bool is_last = piece.end >= heap.pages;
  // The snapshot is older than the size: it cannot see what was appended since then.
  if (is_last) piece.end = std::max(piece.first + 1, heap.pages);
  read_piece(session, heap, walk::block_predicate(piece).params);
  const auto took = SteadyClock::now() - began;
  pages_.record(pages_.rows(), is_last ? 0 : pages_.rows(), took);
  last_ = std::chrono::duration_cast<milliseconds>(took);
  block_ = is_last ? 0 : piece.end;
  if (is_last) ++heap_;
  is_awaited_ = is_anybody_waiting(session);
  is_broken_ = session.must_discard();
}

void Look::read_piece(pg::Session& session, const pg::HeapFacts& heap, const pg::Params& ends) {
  const auto sql = any_left_sql(step_.table, step_.definition, heap);
  if (!session.exec_cancellable(sql, ends).boolean(0, 0)) return;
  if (!step_.keyset) {
    ++left_.rows;
    return;
  }
  const auto keys = keys_left_sql(step_.table, step_.definition, heap, *step_.keyset);
  for (auto& [slice, rows] : step_.keyset->read_slices(session.exec_cancellable(keys, ends))) {
    left_.rows += rows;
    left_.alone.push_back({std::move(slice.lower), std::move(slice.upper), rows, ledger::RangeWalk::kFinal});
  }
}

bool Look::is_anybody_waiting(pg::Session& session) {
  if (milliseconds_since(asked_) < governor::kPoll) return false;
  asked_ = SteadyClock::now();
  return pg::is_exclusive_lock_awaited(session);
}

namespace {

/// Reads on until it is over or given up.
boost::asio::awaitable<void> read_on(pg::Connection& connection, std::shared_ptr<Look> look,
                                     LookSurroundings at) {
  while (!look->is_over() && !look->is_broken() && !look->is_awaited()) {
    auto turn =
        co_await at.gate.pass(look->last(), at.tunables.lanes, at.stop, SteadyClock::now() + kWaitMost);
    if (at.stop.is_requested() || at.gate.is_paused()) co_return;
    auto target = at.tunables.batch.target;
    if (at.gate.decision().is_beside_others) target = std::min(target, governor::kTargetBesideOthers);
    std::function<bool(pg::Session&)> read = [look, target](pg::Session& s) {
      look->read(s, target);
      return true;
    };
    co_await connection.run<bool>(std::move(read));
    turn.worked(look->last());
  }
}

}  // namespace

boost::asio::awaitable<RowsLeft> look_for_rows_left(pg::Connection& connection, const PreparedBackfill& step,
                                                    LookSurroundings at) {
  co_await at.gate.pass_pause(at.stop);
  if (at.stop.is_requested()) co_return RowsLeft{};
  auto look = std::make_shared<Look>(step);
  std::function<bool(pg::Session&)> begin = [look](pg::Session& s) {
    look->begin(s);
    return true;
  };
  co_await keep_trying<bool>(connection, begin, at.journal, at.stop);
  std::exception_ptr error;
  std::string given_up;
  try {
    co_await read_on(connection, look, at);
  } catch (const pg::Failure& f) {
    const bool is_retryable = f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable;
    if (!is_retryable) error = std::current_exception();
    if (f.is_somebodys_cancel(kLookLimits.statement_timeout))
      error = std::make_exception_ptr(
          cancelled_by_somebody("the check for rows left behind in table " + step.table.sql(), f));
    given_up = f.what();
  } catch (...) {
    error = std::current_exception();
  }
  std::function<bool(pg::Session&)> end = [](pg::Session& s) { return pg::rollback(s); };
  try {
    co_await connection.run<bool>(std::move(end));
  } catch (const pg::Failure&) {
    // The session is gone, and its transaction with it.
  }
  if (error) std::rethrow_exception(error);
  auto left = look->result();
  left.is_known = look->is_over();
  if (look->is_awaited()) given_up = "a session waits for its lock";
  if (look->is_broken() && given_up.empty()) given_up = "its connection was cancelled or lost";
  if (!at.stop.is_requested()) left.given_up = given_up;
  co_return left;
}

}  // namespace pgsluice::engine
