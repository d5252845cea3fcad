#include "bench/rolled/rolled_batch.hpp"

#include "base/json.hpp"

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

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

std::optional<double> wal_bytes_of(const std::string& explained) {
  const auto plan = base::Json::parse(explained, nullptr, false);
  if (!plan.is_array() || plan.empty()) return std::nullopt;
  const auto& top = plan.front().value("Plan", base::Json::object());
  if (!top.contains("WAL Bytes")) return std::nullopt;
  return top.at("WAL Bytes").get<double>();
}

BatchSample change_sampled(pg::Session& session, const RolledWork& work, const StripBatch& batch) {
  const auto before = read_updates(session, work.table_oid);
  const char* explain = session.server_version() >= kVersionWithWal ? kExplainWal : kExplain;
  const auto answer = session.exec_cancellable(explain + batch.update_sql, batch.params);
  const auto after = read_updates(session, work.table_oid);
  return {after.all - before.all, after.hot - before.hot, wal_bytes_of(answer.text(0, 0))};
}

void run_in_transaction(pg::Session& session, const RolledWork& work, RolledOutcome& out) {
  session.exec(pg::begin_sql(work.limits));
  const auto batch = work.strip->next(session, work.rows);
  out.is_full = batch.is_full;
  if (work.is_sampled) {
    out.sample = change_sampled(session, work, batch);
    out.changed = out.sample->rows;
  } else {
    const auto answer = session.exec_cancellable(batch.update_sql, batch.params);
    out.changed = batch.is_counted ? answer.integer(0, 0) : answer.affected();
  }
  session.exec("ROLLBACK");
}

}  // namespace

RolledOutcome run_rolled_batch(pg::Session& session, const RolledWork& work) {
  RolledOutcome out;
  const auto began = Clock::now();
  try {
    run_in_transaction(session, work, out);
  } catch (const pg::Failure& f) {
    out.changed = 0;
    out.disposition = f.disposition();
    out.sqlstate = f.sqlstate();
    out.message = f.what();
    if (!f.is_connection_lost()) pg::rollback(session);
  }
  out.duration = Clock::now() - began;
  return out;
}

}  // namespace pgsluice::bench
