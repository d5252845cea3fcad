#include "lanes/statements/copy_statements.hpp"

#include "ledger/range/checkpoint.hpp"
#include "pg/catalog/heap.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_sql.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kRangeLock = "ROW EXCLUSIVE on pgsluice.range, its one row until COMMIT";
constexpr const char* kFirst = "first batch of the table, which has no lower end";

void add_trying(const Copying& copying, const std::string& reads, std::vector<PlannedStatement>& out) {
  const auto once = "once, to try a few rows; rolled back";
  out.push_back({begin_source_sql(copying), "none, at the source", false, once});
  out.push_back({read_tried_sql(copying), reads, false, once});
  out.push_back({pg::begin_sql({}) + target_settings(copying), "none", false, once});
  out.push_back({make_tried_sql(copying), "ACCESS SHARE on " + copying.to.sql(), false, once});
  out.push_back({copy_into_tried_sql(copying), "none, a temporary table", false, once});
}

void add_cutting(const walk::Keyset& keyset, const std::string& reads, std::vector<PlannedStatement>& out) {
  out.push_back({pg::counted_rows_sql(keyset.table_sql()), reads, false,
                 "once, to count the rows on a sample of its pages"});
  out.push_back({keyset.sample(std::nullopt, std::nullopt, 2, 1).sql, reads, false,
                 "once, to cut a large table into ranges"});
  out.push_back({keyset.highest(), reads, false, "once, to end the last range"});
}

void add_reading(const Copying& copying, const walk::Keyset& keyset, const std::string& reads,
                 std::int64_t rows, std::vector<PlannedStatement>& out) {
  const pg::Key any(copying.key.size());
  const int columns = static_cast<int>(copying.key.size());
  out.push_back({begin_source_sql(copying), "none, at the source", true, ""});
  out.push_back({keyset.bound(any, any, rows).sql, reads, true, ""});
  out.push_back({keyset.bound(std::nullopt, any, rows).sql, reads, true, kFirst});
  out.push_back({keyset.remainder(any, any, rows).sql, reads, true, "last batch of a range"});
  out.push_back({keyset.remainder(std::nullopt, any, rows).sql, reads, true,
                 "first batch of a table, if it is also the last of its range"});
  for (int prefix = columns - 1; prefix >= 0; --prefix) {
    const auto when =
        columns == 1 ? std::string() : "when both ends share " + std::to_string(prefix) + " key columns";
    out.push_back({copy_out_sql(copying, keyset.predicate({any, any, prefix}).sql), reads, true, when});
  }
  out.push_back({copy_out_sql(copying, keyset.predicate({std::nullopt, any, 0}).sql), reads, true, kFirst});
  out.push_back({"COMMIT", "none, at the source", true, ""});
}

void add_probe(const Copying& copying, std::vector<PlannedStatement>& out) {
  const walk::Keyset keyset(copying.to.sql(), copying.target_key);
  const pg::Key any(copying.target_key.size());
  const auto reads = "ACCESS SHARE on " + copying.to.sql();
  out.push_back({is_any_there_sql(copying, keyset.predicate({any, any, 0}).sql), reads, true, ""});
  out.push_back(
      {is_any_there_sql(copying, keyset.predicate({std::nullopt, any, 0}).sql), reads, true, kFirst});
}

void add_writing(const Copying& copying, const pg::TransactionLimits& limits, std::int64_t rows,
                 std::vector<PlannedStatement>& out) {
  const auto writes = "ROW EXCLUSIVE on " + copying.to.sql() + ", lock_timeout " +
                      std::to_string(limits.lock_timeout.count()) + " ms, statement_timeout " +
                      std::to_string(limits.statement_timeout.count()) + " ms";
  out.push_back({pg::begin_sql(limits) + target_settings(copying), "none", true, ""});
  out.push_back({ledger::advance_sql(), kRangeLock, true, ""});
  const bool is_around = copying.on_conflict != OnConflict::kError;
  if (is_around && !copying.target_key.empty() && !copying.kept) add_probe(copying, out);
  if (!copying.kept)
    out.push_back({copy_in_sql(copying, copying.to.sql()), writes, true,
                   is_around ? "when no row of the batch is there yet" : ""});
  if (is_around || copying.kept) {
    const std::string when =
        copying.kept ? "" : "when a row of the batch may be there already, instead of it";
    out.push_back({make_stage_sql(copying), "none, a temporary table", true, when});
    out.push_back({copy_into_stage_sql(copying), "none, a temporary table", true, when});
    out.push_back({insert_staged_sql(copying), writes, true, when});
  }
  for (const auto& sequence : copying.sequences)
    out.push_back({raise_sequence_sql(sequence.sequence_sql, rows),
                   "ROW EXCLUSIVE on sequence " + sequence.sequence_sql, true, ""});
  out.push_back({ledger::count_and_commit(1, {rows, rows, 0, false}), kRangeLock, true, ""});
}

}  // namespace

std::vector<PlannedStatement> copy_statements(const Copying& copying, const pg::TransactionLimits& limits,
                                              std::int64_t rows) {
  const walk::Keyset keyset(copying.from.sql(), copying.key);
  const auto reads = "ACCESS SHARE on " + copying.from.sql() + ", at the source";
  std::vector<PlannedStatement> out;
  add_trying(copying, reads, out);
  add_cutting(keyset, reads, out);
  add_reading(copying, keyset, reads, rows, out);
  add_writing(copying, limits, rows, out);
  return out;
}

}  // namespace pgsluice::engine
