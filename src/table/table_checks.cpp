#include "table/table_checks.hpp"

#include "base/units.hpp"
#include "pg/activity/health.hpp"
#include "pg/identifier.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {}  // namespace

void check_table(pg::Session& session, const pg::Table& table, const pg::Storage& storage,
                 Findings& findings) {
  const auto name = "\"" + table.schema + "." + table.name + "\"";
  for (const auto& lock : pg::strong_locks(session, table.oid)) {
    findings.warn("locks",
                  "pid " + std::to_string(lock.pid) + " (" + lock.user + ", " + lock.application +
                      ") holds or waits for " + lock.mode + " on table " + name + ", its transaction is " +
                      base::format_duration(std::chrono::seconds{lock.age_s}) + " old",
                  "the job waits for it, but never long at a time: batches and statements are retried");
  }
  for (const auto& index : storage.indexes) {
    if (index.is_valid || index.is_building) continue;
    findings.warn("indexes",
                  "index \"" + index.name + "\" of table " + name +
                      " is INVALID: every change pays for it, but no query can use it",
                  "an index step of that name rebuilds it; otherwise DROP INDEX CONCURRENTLY " +
                      pg::Identifier(table.schema, index.name).sql());
  }
  if (!storage.is_analysed) {
    findings.warn("statistics",
                  "table " + name + " was never analysed: rows, time and space cannot be estimated",
                  "ANALYZE " + table.sql());
  }
  if (storage.wraparound_age > pg::kWraparoundWarn) {
    findings.warn("wraparound",
                  "the oldest row of table " + name + " is " + base::format_count(storage.wraparound_age) +
                      " transactions old",
                  "let VACUUM (FREEZE) finish first: it would compete with the job for the same pages");
  }
  findings.inform("size", "table " + name + " has about " + base::format_count(table.rows_estimate) +
                              " rows in " + base::format_bytes(static_cast<double>(storage.heap_bytes)) +
                              ", " + base::format_bytes(static_cast<double>(storage.total_bytes)) +
                              " with its indexes");
}

void warn_of_locked(pg::Session& session, const pg::Failure& f, const TableName& name, Findings& findings) {
  if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
  findings.warn("locks",
                "table " + pg::Identifier(name.schema, name.name).sql() +
                    " is locked, so check could not read it: " + holders_in_words(session, name),
                "check again when the lock is gone; the job would wait for it too");
}

}  // namespace pgsluice::engine
