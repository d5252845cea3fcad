#include "lanes/batch/batch.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "lanes/batch/block_batch.hpp"
#include "lanes/batch/copy_batch.hpp"
#include "lanes/batch/key_cut.hpp"
#include "ledger/unchanged.hpp"

namespace pgsluice::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLockTimeoutMax{150};
constexpr int kTargetsUntilTimeout = 5;
constexpr double kShareOfDeadlockTimeout = 0.8;
constexpr std::chrono::milliseconds kStatementTimeoutMin{50};  // below this no batch would ever commit

/// Checked because the row that failed may be gone by now; the next one must get its own try.
bool is_set_aside(const BatchWork& work, const KeyCut& cut) {
  return work.set_aside && cut.visited == 1 && cut.slice.upper == work.set_aside->key;
}

void set_row_aside(pg::Session& session, const BatchWork& work, const KeyCut& cut,
                   const walk::Fragment& predicate) {
  if (work.sql->naming) {
    session.exec(work.sql->naming(predicate.sql, &*work.set_aside), predicate.params);
  } else {
    ledger::quarantine(session, work.step_id, cut.slice.upper, work.set_aside->sqlstate,
                       work.set_aside->message);
  }
}

/// What the batch's statement did.
struct Changed {
  std::int64_t rows = 0;
  std::int64_t selected = 0;  // counted apart; 0: not counted
  std::int64_t missed = 0;
  std::int64_t named = 0;
};

Changed change_rows(pg::Session& session, const BatchWork& work, const KeyCut& cut) {
  if (cut.visited == 0) return {};
  const auto predicate = work.keyset->predicate(cut.slice);
  if (is_set_aside(work, cut)) {
    set_row_aside(session, work, cut, predicate);
    return {};
  }
  run_before(session, work, predicate);
  Changed changed;
  changed.selected = count_selected(session, work, predicate);
  const auto sql = work.sql->update(predicate.sql);
  const auto answer = session.exec_cancellable(sql, predicate.params);
  if (!work.is_always_instead)
    changed.rows = work.sql->is_answering ? answer.integer(0, 0) : answer.affected();
  if (work.sql->is_answering) {
    changed.missed = answer.integer(0, 1);
    refuse_if_unfit(answer, 2);
  }
  if (work.sql->naming && (work.sql->is_naming_always || changed.rows < cut.visited))
    changed.named = session.exec(work.sql->naming(predicate.sql, nullptr), predicate.params).affected();
  return changed;
}

void run_in_transaction(pg::Session& session, const BatchWork& work, BatchOutcome& out) {
  session.exec(pg::begin_sql(work.limits) + work.sql->settings);
  base::failpoint("after_begin");
  KeyCut cut = find_cut(session, *work.keyset, work.range.position, *work.range.upper, work.rows);
  if (!ledger::advance(session, work.range.token, work.range.position, cut.slice.upper, *work.range.upper)) {
    pg::rollback(session);
    out.is_fenced = true;
    out.disposition = pg::Disposition::kRetryable;
    return;
  }
  base::failpoint("after_position");
  out.position = cut.slice.upper;
  const auto changed = change_rows(session, work, cut);
  base::failpoint("after_update");
  if (is_missing_rows(session, work, changed.missed, out)) return;
  out.changed = changed.rows;
  out.named = changed.named;
  out.quarantined = (is_set_aside(work, cut) ? 1 : 0) + changed.named;
  // Rows that share their place with the last one come along.
  cut.visited = std::max(cut.visited, changed.rows);
  out.walked = cut.visited;
  // A final pass visits rows that were counted before.
  if (work.range.walk == ledger::RangeWalk::kFinal) cut.visited = out.changed + out.quarantined;
  count_and_commit(session, work, {cut.visited, out.changed, out.quarantined, cut.is_last}, changed.selected,
                   out);
  base::failpoint("after_commit");
  out.disposition = pg::Disposition::kCommitted;
  out.visited = cut.visited;
  out.is_range_done = cut.is_last;
}

/// Statements name the partition, but an expression in the job may name another table that does not exist.
bool is_partition_gone(pg::Session& session, const BatchWork& work, const BatchOutcome& out) try {
  if (!work.blocks || work.blocks->heap.oid == work.blocks->table_oid || out.sqlstate != pg::kUndefinedTable)
    return false;
  return session.exec("SELECT pg_catalog.to_regclass($1) IS NULL", {work.blocks->heap.table_sql})
      .boolean(0, 0);
} catch (const pg::Failure&) {
  return false;  // the batch's own failure is the one to report
}

}  // namespace

std::int64_t count_selected(pg::Session& session, const BatchWork& work, const walk::Fragment& predicate) {
  if (!work.sql->selected) return 0;
  const auto sql = work.sql->selected(work.blocks ? &work.blocks->heap : nullptr, predicate.sql);
  return session.exec_cancellable(sql, predicate.params).integer(0, 0);
}

void refuse_if_unfit(const pg::Rows& answer, std::size_t column) {
  if (answer.empty() || answer.row(0).size() <= column || answer.boolean(0, column)) return;
  throw pg::Failure(
      std::string(pg::kNotInThisState),
      "the table's columns have changed since the batches began: the archive is completed by the next run",
      false);
}

void run_before(pg::Session& session, const BatchWork& work, const walk::Fragment& predicate) {
  if (!work.sql->before) return;
  for (const auto& sql : work.sql->before(work.blocks ? &work.blocks->heap : nullptr, predicate.sql))
    session.exec_cancellable(sql, predicate.params);
}

void count_and_commit(pg::Session& session, const BatchWork& work, const ledger::BatchCounts& counts,
                      std::int64_t selected, BatchOutcome& out) {
  // Rows that the application added in between may be changed without having been selected.
  const auto unchanged = std::max<std::int64_t>(0, selected - counts.changed);
  // Sweeps and final passes visit rows that an earlier walk found and left.
  const bool is_seen_before =
      work.range.walk == ledger::RangeWalk::kSweep || work.range.walk == ledger::RangeWalk::kFinal;
  const auto note = unchanged > 0 ? ledger::note_unchanged(work.step_id, unchanged, is_seen_before) : "";
  pg::commit(session, note + ledger::count_and_commit(work.range.token.range_id, counts));
  out.unchanged = is_seen_before ? 0 : unchanged;
}

bool is_missing_rows(pg::Session& session, const BatchWork& work, std::int64_t missed, BatchOutcome& out) {
  if (missed <= 0 || work.sql->selected)
    return false;  // one that something leaves unchanged is counted apart
  pg::rollback(session);
  out.disposition = pg::Disposition::kRetryable;
  out.is_missing_rows = true;
  out.message = "others changed " + std::to_string(missed) + " rows while the batch ran";
  return true;
}

BatchOutcome run_batch(pg::Session& session, const BatchWork& work) {
  BatchOutcome out;
  const auto began = Clock::now();
  try {
    if (work.blocks) {
      run_block_batch(session, work, out);
    } else if (work.source) {
      run_copy_batch(session, work, out);
    } else {
      run_in_transaction(session, work, out);
    }
  } catch (const pg::Failure& f) {
    out.disposition = dynamic_cast<const pg::InDoubt*>(&f) ? pg::Disposition::kInDoubt : f.disposition();
    out.sqlstate = f.sqlstate();
    out.message = f.what();
    out.is_connection_lost = f.is_connection_lost();
    out.is_our_cancel = f.cancelled_by() == pg::CancelledBy::kUs;
    out.is_somebodys_cancel = f.is_somebodys_cancel(work.limits.statement_timeout);
    if (!out.is_connection_lost) pg::rollback(session);
    if (is_partition_gone(session, work, out)) {
      out.misfit = Misfit::kHeapRewritten;
      out.disposition = pg::Disposition::kRetryable;
    }
  }
  out.is_session_spent = session.must_discard();
  if (out.duration.count() == 0) out.duration = Clock::now() - began;
  return out;
}

pg::TransactionLimits batch_limits(std::chrono::milliseconds target, std::chrono::milliseconds lock_wait,
                                   std::chrono::milliseconds deadlock_timeout, int long_statements) {
  pg::TransactionLimits limits;
  limits.is_synchronous = false;
  limits.lock_timeout = std::min(lock_wait, kLockTimeoutMax);
  // One more statement can use its full time: moving the position waits for its row for up to lock_timeout.
  const std::chrono::milliseconds room{
      static_cast<std::int64_t>(kShareOfDeadlockTimeout * static_cast<double>(deadlock_timeout.count())) -
      limits.lock_timeout.count()};
  limits.statement_timeout =
      std::max(kStatementTimeoutMin, std::min(kTargetsUntilTimeout * target, room / long_statements));
  return limits;
}

BatchLimits within_deadlock_timeout(BatchLimits limits, std::chrono::milliseconds lock_wait,
                                    std::chrono::milliseconds deadlock_timeout, int long_statements) {
  const auto bounds = batch_limits(limits.target, lock_wait, deadlock_timeout, long_statements);
  limits.target = std::min(limits.target, bounds.statement_timeout / 2);
  return limits;
}

}  // namespace pgsluice::engine
