#include "table/explained_update.hpp"

#include "base/json.hpp"

namespace pgsluice::steps {
namespace {

constexpr int kVersionWithWal = 130000;

constexpr const char* kExplainWal =
    "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ";
constexpr const char* kExplain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ";

// The backend's counters include earlier transactions that it has not reported yet: only their growth counts.
constexpr const char* kUpdates = R"sql(
SELECT coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_updated(part.oid)), 0)::bigint,
       coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_hot_updated(part.oid)), 0)::bigint
FROM (SELECT $1::oid AS oid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree($1::oid::regclass)) part
)sql";

struct Updates {
  std::int64_t all = 0;
  std::int64_t hot = 0;
};

Updates read_updates(pg::Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(kUpdates, {std::to_string(table_oid)});
  return {rows.integer(0, 0), rows.integer(0, 1)};
}

void read_wal(const std::string& explained, ExplainedUpdate& out) {
  const auto plan = base::Json::parse(explained, nullptr, false);
  if (!plan.is_array() || plan.empty()) return;
  const auto& top = plan.front().value("Plan", base::Json::object());
  if (top.contains("WAL Bytes")) out.wal_bytes = top.at("WAL Bytes").get<double>();
  if (top.contains("WAL FPI")) out.page_images = top.at("WAL FPI").get<double>();
}

}  // namespace

ExplainedUpdate explained_update(pg::Session& session, std::uint32_t table_oid, const std::string& update_sql,
                                 const pg::Params& params) {
  const auto before = read_updates(session, table_oid);
  const char* explain = session.server_version() >= kVersionWithWal ? kExplainWal : kExplain;
  const auto answer = session.exec_cancellable(explain + update_sql, params);
  const auto after = read_updates(session, table_oid);
  ExplainedUpdate out;
  out.changed = after.all - before.all;
  out.hot = after.hot - before.hot;
  read_wal(answer.text(0, 0), out);
  return out;
}

}  // namespace pgsluice::steps
