#include "lanes/foretelling/likeness.hpp"

#include <algorithm>
#include <chrono>

#include "pg/identifier.hpp"
#include "table/explained_update.hpp"
#include "table/update.hpp"
#include "walk/blocks.hpp"

namespace pgsluice::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPassesTried = 2;     // one for its time, one for its WAL
constexpr int kFillfactorLess = 4;  // per cent of a page that is left free beside the passes' room
constexpr int kFillfactorMin = 10;  // the server's own
constexpr int kSpots = 10;          // of the table, from which the rows are taken

constexpr const char* kMayCreate = R"sql(
SELECT pg_catalog.has_schema_privilege(c.relnamespace, 'CREATE')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D')
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid
)sql";

const pg::HeapFacts& largest(const std::vector<pg::HeapFacts>& heaps) {
  return *std::max_element(heaps.begin(), heaps.end(),
                           [](const pg::HeapFacts& a, const pg::HeapFacts& b) { return a.pages < b.pages; });
}

/// OFFSET 0 keeps the planner from making a join of it, which would read the whole table for each spot.
std::string filling_sql(const PreparedBackfill& step, const std::string& likeness,
                        const pg::HeapFacts& from) {
  std::string columns;
  for (const auto& column : step.table.columns) {
    if (!column.is_generated) columns += (columns.empty() ? "" : ", ") + pg::Identifier(column.name).sql();
  }
  const std::string alias = from.oid == step.table.oid ? "" : " AS " + pg::Identifier(step.table.name).sql();
  return "INSERT INTO " + likeness + " (" + columns + ") OVERRIDING SYSTEM VALUE\nSELECT spot.* FROM " +
         "pg_catalog.generate_series(0, $1::bigint - 1, greatest(1, $2::bigint)) AS b(pgsluice_block)\n"
         "CROSS JOIN LATERAL (SELECT " +
         columns + " FROM ONLY " + from.table_sql + alias +
         " WHERE ctid >= ('(' || b.pgsluice_block || ',0)')::tid AND ctid < ('(' || b.pgsluice_block + "
         "$3::bigint || ',0)')::tid" +
         (step.definition.where.empty() ? ""
                                        : " AND CASE WHEN (" + step.definition.where + "\n) THEN true END") +
         "\n  OFFSET 0) AS spot";
}

struct Pass {
  const PreparedBackfill& step;
  const pg::HeapFacts& likeness;
  int passes;

  /// `number` = passes: no row belongs to it.
  walk::Fragment predicate(int number) const {
    walk::BlockBatch batch;
    batch.end = likeness.pages;
    batch.weave.passes = passes;
    auto predicate = walk::block_predicate(batch);
    predicate.params.back() = std::to_string(number);
    return predicate;
  }
  std::string sql(const walk::Fragment& predicate) const {
    return "UPDATE ONLY " + likeness.table_sql + " AS " + pg::Identifier(step.table.name).sql() + "\n" +
           steps::set_and_where(step.definition, predicate.sql);
  }
};

double time_of(pg::Session& session, const Pass& pass, int number, std::int64_t& changed) {
  const auto predicate = pass.predicate(number);
  const auto sql = pass.sql(predicate);
  const auto began = Clock::now();
  changed = session.exec_cancellable(sql, predicate.params).affected();
  return std::chrono::duration<double>(Clock::now() - began).count();
}

SampledPass try_passes(pg::Session& session, const PreparedBackfill& step, const pg::HeapFacts& likeness,
                       int passes) {
  SampledPass out;
  const Pass pass{step, likeness, passes};
  std::int64_t none = 0;
  time_of(session, pass, passes, none);  // fills the session's caches
  const auto overhead = time_of(session, pass, passes, none);
  const auto timed = time_of(session, pass, 1, out.timed_rows);
  out.timed_s = std::max(0.0, timed - overhead);
  const auto predicate = pass.predicate(2);
  const auto sql = pass.sql(predicate);
  const auto seen =
      steps::explained_update(session, static_cast<std::uint32_t>(likeness.oid), sql, predicate.params);
  out.explained_rows = seen.changed;
  out.wal_bytes = seen.wal_bytes.value_or(0);
  return out;
}

}  // namespace

SampledPass sample_later_pass(pg::Session& session, const PreparedBackfill& step, int passes,
                              const pg::TransactionLimits& limits) {
  if (step.heaps.empty() || !session.exec(kMayCreate, {std::to_string(step.table.oid)}).boolean(0, 0))
    return {};
  const auto& from = largest(step.heaps);
  const auto name =
      pg::Identifier(step.table.schema, "pgsluice_likeness_" + std::to_string(session.backend_pid())).sql();
  const int fillfactor =
      std::max(kFillfactorMin, 100 - 100 * kPassesTried / std::max(passes, 1) - kFillfactorLess);
  try {
    session.exec(pg::begin_sql(limits));
    session.exec("CREATE TABLE " + name + " (LIKE " + step.table.sql() +
                 " INCLUDING ALL) WITH (fillfactor = " + std::to_string(fillfactor) + ")");
    const double per_page = std::max(1.0, step.ground.rows_per_page);
    const auto blocks =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(kLikenessRows / per_page / kSpots));
    session.exec(filling_sql(step, name, from),
                 {std::to_string(from.pages), std::to_string(from.pages / kSpots), std::to_string(blocks)});
    const auto made = session.exec(
        "SELECT c.oid::bigint, pg_catalog.pg_relation_size(c.oid) / "
        "pg_catalog.current_setting('block_size')::bigint "
        "FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)",
        {name});
    pg::HeapFacts likeness = from;
    likeness.oid = made.integer(0, 0);
    likeness.table_sql = name;
    likeness.pages = made.integer(0, 1);
    const auto out = try_passes(session, step, likeness, passes);
    session.exec("ROLLBACK");
    return out;
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

}  // namespace pgsluice::engine
