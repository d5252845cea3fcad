#include "pg/activity/blockers.hpp"

namespace pgsluice::pg {
namespace {

constexpr const char* kBlockers = R"sql(
WITH waiting AS MATERIALIZED (
  SELECT a.application_name, a.wait_event = 'relation' AS is_for_table,
         unnest(pg_catalog.pg_blocking_pids(a.pid)) AS blocker
  FROM pg_catalog.pg_stat_activity a
  WHERE a.wait_event_type = 'Lock' AND starts_with(a.application_name, $1)
)
SELECT DISTINCT w.application_name, w.is_for_table, w.blocker, coalesce(b.usename, ''),
       coalesce(b.application_name, ''), coalesce(b.state, ''), left(coalesce(b.query, ''), 60),
       coalesce(extract(epoch FROM clock_timestamp() - b.xact_start), 0)::float8
FROM waiting w LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = w.blocker
WHERE NOT starts_with(coalesce(b.application_name, ''), $1)
LIMIT 100
)sql";

}  // namespace

std::vector<Blocker> read_blockers(Session& session, const std::string& prefix) {
  const auto rows = session.exec(kBlockers, {prefix});
  std::vector<Blocker> blockers;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    blockers.push_back({rows.text(i, 0), rows.boolean(i, 1), static_cast<int>(rows.integer(i, 2)),
                        rows.text(i, 3), rows.text(i, 4), rows.text(i, 5), rows.text(i, 6), rows.real(i, 7)});
  }
  return blockers;
}

}  // namespace pgsluice::pg
