#include "ledger/event_log.hpp"

#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kAppend = R"sql(
INSERT INTO pgsluice.event (job_id, run_id, at, type, fields)
SELECT $1::bigint, nullif(e.run_id, '')::uuid, e.at::timestamptz, e.type, e.fields::jsonb
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e(run_id, at, type, fields, n)
ORDER BY e.n
)sql";

constexpr const char* kRead = R"sql(
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), coalesce(run_id::text, ''), type, fields
FROM (SELECT * FROM pgsluice.event WHERE job_id = $1::bigint ORDER BY event_id DESC LIMIT $2::int) newest
ORDER BY event_id
)sql";

}  // namespace

void append_events(pg::Session& session, std::int64_t job_id, const std::vector<LogEntry>& entries) {
  if (entries.empty()) return;
  pg::Key run_ids;
  pg::Key times;
  pg::Key types;
  pg::Key fields;
  for (const auto& e : entries) {
    run_ids.push_back(e.run_id);
    times.push_back(e.at);
    types.push_back(e.type);
    fields.push_back(e.fields);
  }
  session.exec(kAppend, {std::to_string(job_id), pg::to_array(run_ids), pg::to_array(times),
                         pg::to_array(types), pg::to_array(fields)});
}

std::vector<LogEntry> read_events(pg::Session& session, std::int64_t job_id, int limit) {
  const auto rows = session.exec(kRead, {std::to_string(job_id), std::to_string(limit)});
  std::vector<LogEntry> entries;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    entries.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3)});
  }
  return entries;
}

}  // namespace pgsluice::ledger
