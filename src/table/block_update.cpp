#include "table/block_update.hpp"

#include <cmath>

#include "base/json.hpp"
#include "pg/identifier.hpp"
#include "table/update.hpp"

namespace pgsluice::steps {
namespace {

constexpr const char* kAnswer =
    "count(*), count($STILL), pg_catalog.pg_stat_get_xact_tuples_hot_updated($OID::oid),\n       ";

/// Looked up under the UPDATE's own lock on the heap, which prevents it from being rewritten or detached.
/// NULL for a partition that no longer belongs to the table; its ancestors are read without locking their
/// other partitions. NULL too if the name belongs to another table by now: the UPDATE goes by name.
std::string filenode_sql(std::uint32_t table_oid, const pg::HeapFacts& heap, const std::string& oid) {
  const auto filenode = "pg_catalog.pg_relation_filenode(" + oid + "::oid)::bigint";
  const auto is_named = "pg_catalog.to_regclass(" + pg::literal(heap.table_sql) + ") = " + oid + "::oid";
  if (heap.oid == table_oid) return "CASE WHEN " + is_named + " THEN " + filenode + " END";
  return "CASE WHEN " + is_named + " AND EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(" + oid +
         "::oid::regclass) AS a WHERE a.relid = " + std::to_string(table_oid) + ") THEN " + filenode + " END";
}

std::string changed_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                        const std::string& predicate) {
  return "WITH changed AS (\nUPDATE " + only_sql(table, heap) + "\n" + set_and_where(step, predicate) +
         "\nRETURNING CASE WHEN (" + step.where + "\n) THEN true END AS still)\n";
}

std::string with_text(std::string sql, const std::string& mark, const std::string& text) {
  for (auto at = sql.find(mark); at != std::string::npos; at = sql.find(mark))
    sql.replace(at, mark.size(), text);
  return sql;
}

/// Rows of a node anywhere in the plan; 0: it is not there.
double rows_of_node(const base::Json& plan, const std::string& name) {
  if (plan.value("Subplan Name", "") == name) return plan.value("Actual Rows", 0.0);
  double rows = 0;
  for (const auto& below : plan.value("Plans", base::Json::array())) rows += rows_of_node(below, name);
  return rows;
}

}  // namespace

// Without timing, which would read the clock twice per row. Needs server 13 or newer.
const char* const kExplainWal = "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON)\n";

std::string only_sql(const pg::Table& table, const pg::HeapFacts& heap) {
  const std::string alias = heap.oid == table.oid ? "" : " AS " + pg::Identifier(table.name).sql();
  return "ONLY " + heap.table_sql + alias;
}

std::string block_answer(const pg::Table& table, const pg::HeapFacts& heap, int oid,
                         const std::string& still) {
  const auto answer = with_text(kAnswer + filenode_sql(table.oid, heap, "$OID"), "$STILL", still);
  return with_text(answer, "$OID", "$" + std::to_string(oid));
}

std::string block_update_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                             const std::string& predicate, int oid) {
  return changed_sql(table, step, heap, predicate) + "SELECT " + block_answer(table, heap, oid) +
         "\nFROM changed";
}

BlockAnswer read_block_answer(const pg::Rows& rows) {
  BlockAnswer answer{rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2), rows.integer(0, 3)};
  if (rows.row(0).size() > 4) answer.missed = rows.integer(0, 4);
  return answer;
}

std::string sampled_block_update_sql(const pg::Table& table, const BackfillStep& step,
                                     const pg::HeapFacts& heap, const std::string& predicate) {
  return kExplainWal + changed_sql(table, step, heap, predicate) + "SELECT FROM changed WHERE still";
}

std::string heap_state_sql(std::uint32_t table_oid, const pg::HeapFacts& heap) {
  const auto oid = std::to_string(heap.oid);
  return "SELECT pg_catalog.pg_stat_get_xact_tuples_hot_updated(" + oid + "), " +
         filenode_sql(table_oid, heap, oid);
}

std::optional<BlockAnswer> read_sampled_answer(const pg::Rows& explained, const pg::Rows& state,
                                               const std::string& old_rows_node) {
  const auto answer = base::Json::parse(explained.text(0, 0), nullptr, false);
  if (!answer.is_array() || answer.empty()) return std::nullopt;
  const auto& plan = answer.front().value("Plan", base::Json::object());
  for (const char* field : {"Actual Rows", "Rows Removed by Filter", "WAL Bytes", "WAL FPI"}) {
    if (!plan.contains(field) || !plan.at(field).is_number()) return std::nullopt;
  }
  const auto number = [&](const char* field) { return plan.at(field).get<double>(); };
  const auto still = std::llround(number("Actual Rows"));
  BlockAnswer read{still + std::llround(number("Rows Removed by Filter")), still, state.integer(0, 0),
                   state.integer(0, 1)};
  read.wal = BlockAnswer::Wal{number("WAL Bytes"), number("WAL FPI")};
  if (!old_rows_node.empty()) read.missed = std::llround(rows_of_node(plan, old_rows_node)) - read.changed;
  return read;
}

std::string hot_so_far_sql(const pg::HeapFacts& heap) {
  return "SELECT pg_catalog.pg_stat_get_xact_tuples_hot_updated(" + std::to_string(heap.oid) + ")";
}

std::string block_selected_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                               const std::string& predicate) {
  return "SELECT count(*) FROM (SELECT FROM " + only_sql(table, heap) + "\n" + where_sql(step, predicate) +
         "\nFOR NO KEY UPDATE) AS selected";
}

std::string count_blocks_sql(const pg::HeapFacts& heap) {
  return "SELECT count(*) FROM ONLY " + heap.table_sql + " WHERE ctid >= $1::tid AND ctid < $2::tid";
}

std::string rows_left(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap) {
  return "FROM " + only_sql(table, heap) + "\nWHERE ctid >= $1::tid AND ctid < $2::tid AND CASE WHEN (" +
         step.where + "\n) THEN true END";
}

}  // namespace pgsluice::steps
