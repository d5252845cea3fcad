#include "lanes/batch/copy_batch.hpp"

#include "base/failpoint.hpp"
#include "lanes/batch/source_reader.hpp"
#include "pg/connection/savepoint.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_sql.hpp"

namespace pgsluice::engine {
namespace {

using Clock = std::chrono::steady_clock;

SourceWanted wanted(const BatchWork& work) {
  return {work.range.position, *work.range.upper, work.rows, work.set_aside.has_value()};
}

/// The row that failed may be gone by now: then the next one gets its own try.
bool is_set_aside(const BatchWork& work, const SourceBatch& batch) {
  return work.set_aside && batch.visited == 1 && batch.end == work.set_aside->key;
}

SourceBatch rows_for(pg::Session& session, const BatchWork& work, BatchOutcome& out) try {
  auto batch = work.source->take(wanted(work), session);
  if (!work.set_aside || is_set_aside(work, batch)) return batch;
  auto whole = wanted(work);
  whole.is_cut_only = false;
  return work.source->take(whole, session);
} catch (const SourceFailure& f) {
  if (f.end()) out.position = *f.end();  // so that a row which cannot be read is found like any other
  throw;
}

void raise_sequences(pg::Session& session, const Copying& copying, const SourceBatch& batch) {
  for (std::size_t i = 0; i < batch.highest.size(); ++i) {
    if (batch.highest[i])
      session.exec(raise_sequence_sql(copying.sequences[i].sequence_sql, *batch.highest[i]));
  }
}

/// Whether the target may have a row of the batch already: without a key to ask by, any.
bool may_meet_rows(pg::Session& session, const Copying& copying, const SourceBatch& batch) {
  if (copying.target_key.empty()) return true;
  const walk::Keyset keyset(copying.to.sql(), copying.target_key);
  // An equal prefix of 0 asks for somewhat more than the slice, never for less.
  const auto slice = keyset.predicate({batch.wanted.from, batch.end, 0});
  return session.exec_cancellable(is_any_there_sql(copying, slice.sql), slice.params).boolean(0, 0);
}

std::int64_t write_staged(pg::Session& session, const Copying& copying, const SourceBatch& batch) {
  session.exec(make_stage_sql(copying));
  session.copy_in(copy_into_stage_sql(copying), batch.lines);
  const auto answer = session.exec_cancellable(insert_staged_sql(copying), {});
  return copying.kept ? answer.integer(0, 0) : answer.affected();
}

std::int64_t write_by_rule(pg::Session& session, const Copying& copying, const SourceBatch& batch) {
  const auto plain = [&] { return session.copy_in(copy_in_sql(copying, copying.to.sql()), batch.lines); };
  if (copying.kept) return write_staged(session, copying, batch);  // COPY does not tell what it stored
  if (copying.on_conflict == OnConflict::kError) return plain();
  if (may_meet_rows(session, copying, batch)) return write_staged(session, copying, batch);
  std::int64_t rows = 0;
  const auto failed = pg::attempt(session, [&] { rows = plain(); });
  if (!failed) return rows;
  if (failed->sqlstate() != pg::kUniqueViolation) throw *failed;
  return write_staged(session, copying, batch);  // another key, or a row that came after the question
}

/// Rows that find what they refer to. The others are looked at again, as are all if one of them meets a
/// unique value that another row still holds.
std::int64_t write_with_parents(pg::Session& session, const BatchWork& work, const SourceBatch& batch) {
  const auto& copying = work.source->copying();
  session.exec(make_stage_sql(copying));
  session.copy_in(copy_into_stage_sql(copying), batch.lines);
  const auto orphans = session.exec_cancellable(take_out_orphans_sql(copying), {});
  auto around = copying;
  around.on_conflict = OnConflict::kSkip;
  const auto rows = session.exec_cancellable(insert_staged_sql(around), {}).affected();
  // The target may write a key in another way than the source knows it by.
  bool is_same_key = true;
  for (std::size_t i = 0; i < copying.key.size(); ++i) {
    const auto* column = copying.to.find(copying.conflict_key[i]);
    is_same_key = is_same_key && column != nullptr && column->type == copying.key[i].type;
  }
  if (!is_same_key || rows + static_cast<std::int64_t>(orphans.size()) < batch.rows) {
    work.source->requeue(batch);
    return rows;
  }
  std::vector<pg::Key> keys;
  for (std::size_t i = 0; i < orphans.size(); ++i) {
    auto& key = keys.emplace_back();
    for (std::size_t k = 0; k < copying.conflict_key.size(); ++k) key.push_back(orphans.text(i, k));
  }
  work.source->requeue(keys);
  return rows;
}

/// Of a foreign key, also where it would be checked at COMMIT.
constexpr const char* kCheckNow = "SET CONSTRAINTS ALL IMMEDIATE";

/// While the source is followed, its rows move on: a row copied earlier may still hold a value that is unique
/// and that the source has given to one of these, or one of these may refer to a row that came after its
/// table was copied. Then their keys are looked at again once all is copied. False: rows were left out for
/// that.
bool write_rows(pg::Session& session, const BatchWork& work, const SourceBatch& batch, std::int64_t& rows) {
  const auto& copying = work.source->copying();
  if (copying.queue_sql.empty()) {
    rows = write_by_rule(session, copying, batch);
    return true;
  }
  const auto failed = pg::attempt(session, [&] {
    rows = write_by_rule(session, copying, batch);
    session.exec(kCheckNow);
  });
  if (!failed) return true;
  if (failed->sqlstate() == pg::kForeignKeyViolation) {
    rows = write_with_parents(session, work, batch);
    return false;
  }
  if (failed->sqlstate() != pg::kUniqueViolation) throw *failed;
  work.source->requeue(batch);
  auto around = copying;
  around.on_conflict = OnConflict::kSkip;
  rows = write_staged(session, around, batch);
  return false;
}

/// False: rows of the batch were left out, and are not lost.
bool write(pg::Session& session, const BatchWork& work, const SourceBatch& batch, BatchOutcome& out) {
  const auto& copying = work.source->copying();
  if (is_set_aside(work, batch)) {
    ledger::quarantine(session, work.step_id, batch.end, work.set_aside->sqlstate, work.set_aside->message);
    out.quarantined = 1;
  } else if (batch.rows > 0) {
    const bool is_whole = write_rows(session, work, batch, out.changed);
    raise_sequences(session, copying, batch);
    return is_whole;
  }
  return true;
}

}  // namespace

void run_copy_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out) {
  const auto batch = rows_for(session, work, out);
  out.asked = batch.wanted.rows;
  out.position.clear();
  if (!work.set_aside) work.source->read_ahead(batch, work.rows);
  const auto began = Clock::now();
  session.exec(pg::begin_sql(work.limits) + target_settings(work.source->copying()));
  base::failpoint("after_begin");
  if (!ledger::advance(session, work.range.token, work.range.position, batch.end, *work.range.upper)) {
    pg::rollback(session);
    out.is_fenced = true;
    out.disposition = pg::Disposition::kRetryable;
    return;
  }
  base::failpoint("after_position");
  out.position = batch.end;
  const bool is_whole = write(session, work, batch, out);
  base::failpoint("after_update");
  // Rows that are there already stay, or are right: only a plain COPY shows what a trigger left out.
  const bool is_counted =
      is_whole && work.source->copying().on_conflict == OnConflict::kError && out.quarantined == 0;
  count_and_commit(session, work, {batch.visited, out.changed, out.quarantined, batch.is_last},
                   is_counted ? batch.rows : 0, out);
  base::failpoint("after_commit");
  out.disposition = pg::Disposition::kCommitted;
  out.walked = out.visited = batch.visited;
  out.is_range_done = batch.is_last;
  out.duration = Clock::now() - began;
}

}  // namespace pgsluice::engine
