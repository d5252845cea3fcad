#include "lanes/statements/block_statements.hpp"

#include "lanes/batch/block_batch.hpp"
#include "lanes/ranges/look.hpp"
#include "lanes/statements/batch_statements.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/identifier.hpp"
#include "table/block_update.hpp"
#include "walk/interleaving.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kRangeLock = "ROW EXCLUSIVE on pgsluice.range, its one row until COMMIT";

std::string milliseconds(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

std::string update_lock(const pg::HeapFacts& heap, const pg::TransactionLimits& limits) {
  return "ROW EXCLUSIVE on " + heap.table_sql + ", its rows until COMMIT, lock_timeout " +
         milliseconds(limits.lock_timeout) + ", statement_timeout " + milliseconds(limits.statement_timeout);
}

}  // namespace

std::vector<PlannedStatement> block_statements(const pg::Table& table, const BackfillStep& step,
                                               const WalkedTable& walked, const BatchSql& sql,
                                               const pg::TransactionLimits& limits) {
  if (walked.heaps.empty()) return {};
  const auto& heap = walked.heaps.front();
  const bool is_woven = walked.choice.walk == Walk::kInterleaved;
  const std::string each = walked.heaps.size() > 1 ? "once a batch, for each of " +
                                                         std::to_string(walked.heaps.size()) + " partitions"
                                                   : "";
  const auto reads = "ACCESS SHARE on " + heap.table_sql;
  walk::BlockBatch batch;
  std::vector<PlannedStatement> out{
      {pg::begin_sql(limits) + "; " + steps::hot_so_far_sql(heap), "none", true, each},
      {ledger::advance_sql(), kRangeLock, true, each},
      {steps::count_blocks_sql(heap), reads, true, is_woven ? "first pass through a window" : each}};
  const std::string sampled =
      "statement of one batch in " + std::to_string(kBatchesPerSample) + ", to measure its WAL";
  const auto add_update = [&](const std::string& when) {
    const auto lock = update_lock(heap, limits);
    const bool is_last_pass = batch.pass + 1 >= batch.weave.passes;
    const auto predicate = walk::block_predicate(batch);
    if (sql.before) {
      for (auto& before : sql.before(&heap, predicate.sql))
        out.push_back(
            {std::move(before), "ROW EXCLUSIVE on the referring table, its rows until COMMIT", true, when});
    }
    if (sql.selected && is_last_pass) out.push_back({sql.selected(&heap, predicate.sql), lock, true, when});
    out.push_back({sql.block_update(heap, predicate, false), lock, true, when});
    if (sql.is_sampling) out.push_back({sql.block_update(heap, predicate, true), lock, true, sampled});
  };
  if (is_woven) {
    batch.weave.passes = 2;
    add_update("passes before the last one");
    batch.pass = 1;
  }
  add_update(is_woven ? "last pass through a window" : each);
  if (sql.is_sampling) out.push_back({steps::heap_state_sql(table.oid, heap), "none", true, sampled});
  out.push_back({ledger::count_and_commit(1, {1, 1, 0, false}), kRangeLock, true, each});
  if (walked.swallowers.is_any()) out.push_back(planned_note(1));
  out.push_back({begin_look_sql(table), "ACCESS SHARE on " + table.sql() + ", until the check ends", false,
                 "once all blocks are done: the check for rows that moved behind the walk, which are changed "
                 "in a final pass"});
  out.push_back(
      {any_left_sql(table, step, heap), reads, false, "once for each piece of the table, by that check"});
  if (walked.keyset)
    out.push_back({keys_left_sql(table, step, heap, *walked.keyset), reads, false,
                   "when a piece of the table has such rows, by that check"});
  return out;
}

std::string walk_in_words(const WalkedTable& walked) {
  if (walked.choice.walk == Walk::kBlocks) return "blocks of the heap, in order";
  if (walked.choice.walk == Walk::kInterleaved) return "interleaved over blocks of the heap";
  std::vector<std::string> names;
  for (const auto& column : walked.keyset->key()) names.push_back(column.name);
  return "keyset along (" + pg::column_list(names) + ")";
}

}  // namespace pgsluice::engine
