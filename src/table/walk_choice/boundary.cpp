#include "table/walk_choice/boundary.hpp"

#include <algorithm>
#include <cmath>

#include "job/condition/upper_bounds.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/range_plan.hpp"

namespace pgsluice::engine {
namespace {

// Rows of one value are sorted by the unique key for each batch, unless the index does it: a tenth of a batch
// costs little.
constexpr double kRowsOfOneValueMost = 100;
// The server sorts only such rows, and not all that follow, since then.
constexpr int kVersionWithIncrementalSort = 130000;
// Below it, neighbours along the column lie all over the table: worth it only for few rows.
constexpr double kCorrelationMin = 0.5;
constexpr double kFewRows = 0.1;  // of the table
// Finding the last row that matches may read on where other conditions filter; then another walk serves.
constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000},
                                            std::chrono::milliseconds{10'000}, true};

// A B-tree over all rows that begins with the column ($2), ascending or descending; the one that goes on with
// the unique key ($3) first.
constexpr const char* kIndex = R"sql(
SELECT ic.relname, f.goes_on, coalesce(s.n_distinct, 0)::float8, coalesce(s.correlation, 0)::float8
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = ic.relam AND am.amname = 'btree'
JOIN pg_catalog.pg_opclass op ON op.oid = i.indclass[0] AND op.opcdefault
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = $2
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = $2 AND NOT s.inherited
CROSS JOIN LATERAL (
  SELECT ARRAY(SELECT ka.attname FROM unnest((i.indkey::int2[])[1:i.indnkeyatts - 1]) WITH ORDINALITY k(num, place)
               JOIN pg_catalog.pg_attribute ka ON ka.attrelid = i.indrelid AND ka.attnum = k.num ORDER BY place)::text[] = $3::text[]
) f(goes_on)
WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL
  AND i.indcollation[0] = a.attcollation AND i.indoption[0] IN (0, 3)
ORDER BY f.goes_on DESC, i.indnkeyatts
LIMIT 1
)sql";

double rows_of_one_value(double n_distinct, double rows) {
  if (n_distinct == 0) return 0;
  return n_distinct < 0 ? 1 / -n_distinct : rows / n_distinct;
}

/// False if the look took too long.
bool find_end(pg::Session& session, const BackfillStep& step, const pg::Table& table,
              Boundary& boundary) try {
  return pg::in_transaction(session, kLookLimits, [&] {
    const auto last = session.exec(last_match_sql(step, table, boundary.key));
    if (last.empty()) return true;
    pg::Key end;
    for (std::size_t i = 0; i < boundary.key.size(); ++i) end.push_back(last.text(0, i));
    boundary.end = std::move(end);
    return true;
  });
} catch (const pg::Failure& f) {
  if (f.is_connection_lost() || f.sqlstate() == pg::kLockNotAvailable) throw;
  return false;
}

}  // namespace

std::string last_match_sql(const BackfillStep& step, const pg::Table& table,
                           const std::vector<pg::Column>& key) {
  // Qualified: a bare name in ORDER BY would be the text that is selected under it.
  const auto alias = pg::Identifier(table.name).sql();
  const auto qualified = [&](const pg::Column& column) {
    return alias + "." + pg::Identifier(column.name).sql();
  };
  std::string texts;
  std::string order;
  for (const auto& column : key) {
    texts += (texts.empty() ? "" : ", ") + qualified(column) + "::text";
    order += (order.empty() ? "" : ", ") + qualified(column) + " DESC";
  }
  const auto bounded = qualified(key.front());
  const auto matching = " FROM " + table.sql() + "\nWHERE (" + step.where + "\n)";
  // The highest value first, along the index alone: ordered by the whole key, all that match would be sorted.
  return "SELECT " + texts + matching + " AND " + bounded + " = (SELECT " + bounded + matching +
         "\nORDER BY " + bounded + " DESC LIMIT 1)\nORDER BY " + order + "\nLIMIT 1";
}

std::string boundary_problem(const BoundaryFacts& facts) {
  if (facts.index.empty()) return "no index begins with it";
  if (!facts.has_whole_key) {
    if (facts.server_version < kVersionWithIncrementalSort)
      return "index \"" + facts.index + "\" does not go on with the key, and the server is older than 13";
    if (facts.rows_of_one_value == 0) return "the table was never analysed";
    if (facts.rows_of_one_value > kRowsOfOneValueMost)
      return "about " + std::to_string(std::lround(facts.rows_of_one_value)) + " rows have one value of it";
  }
  if (std::abs(facts.correlation) < kCorrelationMin && facts.share > kFewRows)
    return "rows are not stored in its order";
  return {};
}

std::optional<Boundary> read_boundary(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                                      const std::vector<pg::Column>& unique) {
  const auto rows = std::max<std::int64_t>(1, table.rows_estimate);
  for (const auto& name : job::columns_with_upper_bound(step.where)) {
    const auto* column = table.find(name);
    if (!column) continue;
    std::vector<std::string> rest;
    std::vector<pg::Column> key{*column};
    for (const auto& one : unique) {
      if (one.name == name) continue;
      rest.push_back(one.name);
      key.push_back(one);
    }
    const auto found = session.exec(kIndex, {std::to_string(table.oid), name, pg::to_array(rest)});
    if (found.empty()) continue;
    const auto matching = std::min(estimate_matching(session, table, step.where).value_or(rows), rows);
    const BoundaryFacts facts{
        found.text(0, 0),         found.boolean(0, 1),
        session.server_version(), rows_of_one_value(found.real(0, 2), static_cast<double>(rows)),
        found.real(0, 3),         static_cast<double>(matching) / static_cast<double>(rows)};
    if (!boundary_problem(facts).empty()) continue;
    Boundary boundary{std::move(key), facts.index, std::nullopt, matching,
                      facts.has_whole_key ? walk::Lead::kWholeKey : walk::Lead::kFirstColumn};
    if (find_end(session, step, table, boundary)) return boundary;
  }
  return std::nullopt;
}

}  // namespace pgsluice::engine
