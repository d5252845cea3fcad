#include "lanes/batch/block_batch.hpp"

#include "base/failpoint.hpp"
#include "ledger/range/checkpoint.hpp"
#include "table/block_update.hpp"

namespace pgsluice::engine {
namespace {

void give_up(pg::Session& session, BatchOutcome& out, Misfit misfit) {
  pg::rollback(session);
  out.misfit = misfit;
  out.disposition = pg::Disposition::kRetryable;
}

/// Rows are counted once, by the first pass: later passes, and sweeps, visit the same rows.
std::int64_t count_rows(pg::Session& session, const BlockWork& blocks, const walk::Fragment& predicate) {
  if (blocks.batch.pass > 0 || blocks.is_sweep) return 0;
  const pg::Params ends{predicate.params[0], predicate.params[1]};
  return session.exec(steps::count_blocks_sql(blocks.heap), ends).integer(0, 0);
}

/// nullopt: the answer of a sampled batch cannot be parsed.
std::optional<steps::BlockAnswer> change_rows(pg::Session& session, const BatchWork& work,
                                              walk::Fragment predicate) {
  const auto& heap = work.blocks->heap;
  const auto sql = work.sql->block_update(heap, predicate, work.blocks->is_sampled);
  if (work.blocks->is_sampled) {
    const auto explained = session.exec_cancellable(sql, predicate.params);
    return steps::read_sampled_answer(explained,
                                      session.exec(steps::heap_state_sql(work.blocks->table_oid, heap)),
                                      work.sql->old_rows_node);
  }
  predicate.params.emplace_back(std::to_string(heap.oid));
  const auto answer = session.exec_cancellable(sql, predicate.params);
  refuse_if_unfit(answer, 5);
  return steps::read_block_answer(answer);
}

}  // namespace

void run_block_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out) {
  const auto& blocks = *work.blocks;
  const auto begin = pg::begin_sql(work.limits) + "; " + steps::hot_so_far_sql(blocks.heap);
  const auto hot_before = session.exec(begin).integer(0, 0);
  base::failpoint("after_begin");
  const auto reached = blocks.batch.next.key();
  if (!ledger::advance(session, work.range.token, work.range.position, reached, *work.range.upper)) {
    pg::rollback(session);
    out.is_fenced = true;
    out.disposition = pg::Disposition::kRetryable;
    return;
  }
  base::failpoint("after_position");
  out.position = reached;
  const auto predicate = walk::block_predicate(blocks.batch);
  auto visited = count_rows(session, blocks, predicate);
  run_before(session, work, predicate);
  // The last pass visits every row that the earlier ones left.
  const bool is_last_pass = blocks.batch.pass + 1 >= blocks.batch.weave.passes;
  const auto selected = is_last_pass ? count_selected(session, work, predicate) : 0;
  const auto read = change_rows(session, work, predicate);
  base::failpoint("after_update");
  if (!read) {
    out.message = "the answer of EXPLAIN (ANALYZE, WAL) cannot be parsed";
    return give_up(session, out, Misfit::kNone);  // the next attempt is probably not sampled
  }
  const auto& answer = *read;
  if (answer.filenode != blocks.batch.next.heap.filenode)
    return give_up(session, out, Misfit::kHeapRewritten);
  if (answer.still_matching > 0) return give_up(session, out, Misfit::kStillMatches);
  if (is_missing_rows(session, work, answer.missed, out)) return;

  if (blocks.is_sweep) visited = answer.changed;

  count_and_commit(session, work, {visited, answer.changed, 0, blocks.batch.is_last}, selected, out);
  base::failpoint("after_commit");
  out.disposition = pg::Disposition::kCommitted;
  out.visited = visited;
  out.changed = answer.changed;
  // A session reports its statistics between two transactions and then counts from 0 again.
  out.hot = answer.hot_so_far >= hot_before ? answer.hot_so_far - hot_before : answer.hot_so_far;
  if (answer.wal) out.wal = {answer.wal->bytes, answer.wal->page_images};
  out.is_range_done = blocks.batch.is_last;
}

}  // namespace pgsluice::engine
