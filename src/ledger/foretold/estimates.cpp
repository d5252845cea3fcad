#include "ledger/foretold/estimates.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace pgsluice::ledger {
namespace {

// A rollback cleared the step, or a run died before it cut the ranges: the step begins anew.
constexpr const char* kForget = R"sql(
DELETE FROM pgsluice.estimate e USING pgsluice.step s
WHERE e.step_id = $1::bigint AND s.step_id = e.step_id AND NOT s.ranges_cut
)sql";

// Heap and indexes with their partitions; TOAST counts as heap, because what a row writes there is growth
// too.
constexpr const char* kSizes = R"sql(
sizes AS (
  SELECT coalesce(sum(pg_catalog.pg_table_size(p.oid)), 0)::float8 AS heap,
         coalesce(sum(pg_catalog.pg_indexes_size(p.oid)), 0)::float8 AS indexes
  FROM (SELECT $OID AS oid UNION SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(($OID)::regclass) t) p
  JOIN pg_catalog.pg_class c ON c.oid = p.oid
)
)sql";

constexpr const char* kNote = R"sql(
INSERT INTO pgsluice.estimate (step_id, run_id, is_sampled, basis,
  rows_low, rows_likely, rows_high, seconds_low, seconds_likely, seconds_high,
  wal_bytes_low, wal_bytes_likely, wal_bytes_high, heap_bytes_low, heap_bytes_likely, heap_bytes_high,
  index_bytes_low, index_bytes_likely, index_bytes_high, image_bytes_low, image_bytes_likely, image_bytes_high,
  table_oid, heap_bytes_before, index_bytes_before, wal_before)
SELECT $1::bigint, $2::uuid, $3::boolean, $4, $5::float8, $6::float8, $7::float8, $8::float8, $9::float8, $10::float8,
  $11::float8, $12::float8, $13::float8, $14::float8, $15::float8, $16::float8, $17::float8, $18::float8, $19::float8,
  $20::float8, $21::float8, $22::float8, $23::oid, sizes.heap, sizes.indexes,
  pg_catalog.pg_current_wal_insert_lsn()
FROM sizes
ON CONFLICT (step_id) DO NOTHING
)sql";

constexpr const char* kCameTrue = R"sql(
UPDATE pgsluice.estimate e SET
  rows_actual = (SELECT coalesce(sum(r.rows_changed), 0) FROM pgsluice.range r WHERE r.step_id = e.step_id),
  seconds_actual = CASE WHEN e.run_id = $2::uuid
                   THEN extract(epoch FROM pg_catalog.clock_timestamp() - e.made_at) END,
  wal_bytes_actual = CASE WHEN e.run_id = $2::uuid
                     THEN (pg_catalog.pg_current_wal_insert_lsn() - e.wal_before)::float8 END,
  heap_bytes_actual = sizes.heap - e.heap_bytes_before,
  index_bytes_actual = sizes.indexes - e.index_bytes_before
FROM sizes WHERE e.step_id = $1::bigint
)sql";

constexpr std::array kQuantities = {"rows",       "seconds",     "wal_bytes",
                                    "heap_bytes", "index_bytes", "image_bytes"};

std::string with_sizes(const std::string& oid, const char* statement) {
  std::string sizes = kSizes;
  const std::string mark = "$OID";
  for (auto at = sizes.find(mark); at != std::string::npos; at = sizes.find(mark))
    sizes.replace(at, mark.size(), oid);
  return "WITH " + sizes + statement;
}

pg::Value text_of(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  return std::string(text.data());
}

void append(pg::Params& params, const std::optional<Span>& span) {
  for (const double* value :
       {span ? &span->low : nullptr, span ? &span->likely : nullptr, span ? &span->high : nullptr})
    params.push_back(value ? text_of(*value) : pg::Value{});
}

}  // namespace

void note_estimate(pg::Session& session, std::int64_t step_id, const std::string& run_id,
                   std::uint32_t table_oid, const Foretold& foretold) {
  session.exec(kForget, {std::to_string(step_id)});
  pg::Params params{std::to_string(step_id), run_id, foretold.is_sampled ? "t" : "f", foretold.basis};
  for (const auto& span :
       {std::optional(foretold.rows), std::optional(foretold.seconds), std::optional(foretold.wal_bytes),
        std::optional(foretold.heap_bytes), std::optional(foretold.index_bytes), foretold.image_bytes})
    append(params, span);
  params.emplace_back(std::to_string(table_oid));
  session.exec(with_sizes("$23::oid", kNote), params);
}

void note_came_true(pg::Session& session, std::int64_t step_id, const std::string& run_id) {
  session.exec(with_sizes("(SELECT table_oid FROM pgsluice.estimate WHERE step_id = $1::bigint)", kCameTrue),
               {std::to_string(step_id), run_id});
}

std::string estimate_columns(const std::string& alias) {
  std::string sql = alias + ".is_sampled, " + alias + ".basis";
  for (const std::string quantity : kQuantities) {
    for (const char* part : {"_low", "_likely", "_high", "_actual"})
      sql += ", " + alias + "." + quantity + part;
  }
  return sql;
}

bool read_estimate(const pg::Rows& rows, std::size_t row, std::size_t column, Foretold& foretold,
                   CameTrue& came_true) {
  if (rows.is_null(row, column)) return false;
  foretold.is_sampled = rows.boolean(row, column);
  foretold.basis = rows.text(row, column + 1);
  const auto span = [&](std::size_t at) {
    return Span{rows.real(row, at), rows.real(row, at + 1), rows.real(row, at + 2)};
  };
  const auto actual = [&](std::size_t at) {
    return rows.is_null(row, at) ? std::nullopt : std::optional(rows.real(row, at));
  };
  auto at = column + 2;
  for (auto [quantity, came] :
       {std::pair{&foretold.rows, &came_true.rows}, std::pair{&foretold.seconds, &came_true.seconds},
        std::pair{&foretold.wal_bytes, &came_true.wal_bytes},
        std::pair{&foretold.heap_bytes, &came_true.heap_bytes},
        std::pair{&foretold.index_bytes, &came_true.index_bytes}}) {
    *quantity = span(at);
    *came = actual(at + 3);
    at += 4;
  }
  if (!rows.is_null(row, at)) foretold.image_bytes = span(at);
  came_true.image_bytes = actual(at + 3);
  return true;
}

}  // namespace pgsluice::ledger
