#include "lanes/throttle/readings/work_reading.hpp"

namespace pgsluice::engine {
namespace {

// A session that waits for a row or for its client uses no resources. Lanes of every run count. Work in other
// databases keeps no row version in this one, nor do VACUUM and CREATE INDEX CONCURRENTLY.
constexpr const char* kWork = R"sql(
SELECT count(*) FILTER (WHERE state = 'active' AND NOT starts_with(application_name, 'pgsluice ')
                          AND coalesce(wait_event_type, 'IO') IN ('IO', 'LWLock')),
       count(*) FILTER (WHERE state <> 'idle' AND application_name LIKE 'pgsluice % lane %'),
       extract(epoch FROM clock_timestamp()
         - min(xact_start) FILTER (WHERE NOT starts_with(application_name, 'pgsluice ')
                                     AND coalesce(backend_xmin, backend_xid) IS NOT NULL
                                     AND datname = current_database() AND query NOT ILIKE 'vacuum%'
                                     AND query NOT ILIKE 'create%index%concurrently%'))::float8,
       count(*) FILTER (WHERE wait_event_type = 'Lock' AND starts_with(application_name, $1))
FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
)sql";

}  // namespace

AtWork read_work(pg::Session& session, const std::string& prefix) {
  const auto row = session.exec(kWork, {prefix});
  AtWork reading{{static_cast<int>(row.integer(0, 0)), static_cast<int>(row.integer(0, 1))}, {}, {}};
  if (row.integer(0, 3) > 0) reading.blockers = pg::read_blockers(session, prefix);
  if (!row.is_null(0, 2)) reading.open_s = row.real(0, 2);
  return reading;
}

}  // namespace pgsluice::engine
