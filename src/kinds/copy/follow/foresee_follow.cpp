#include "kinds/copy/follow/foresee_follow.hpp"

#include "kinds/copy/follow/run_follow.hpp"
#include "ledger/follow/follow.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/follow/apply_sql.hpp"
#include "table/follow/follow_facts.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {
namespace {

// Measured on PostgreSQL 15, a row of 217 B: one-row UPDATE 63 to 85 µs of CPU, 230 to 371 B of WAL, 133 to
// 162 µs of latency; one UPDATE of many rows 1.0 to 4.8 µs a row.
constexpr const char* kPrice =
    "a trigger notes each row that is written at the source: about 25 µs and 140 B of WAL for a statement of "
    "one row, and statements of many rows take up to five times as long";

constexpr const char* kGently = " on the source's table, lock_timeout 300 ms";
constexpr const char* kReads = "ACCESS SHARE on the source's table";

FollowedTables read(const FollowAt& at, const CopyStep& step) {
  const auto known = ledger::read_follow(at.target, at.step_id);
  if (!known) require_own_rows(at.target, step);
  return read_followed(at.source, at.target, step, known ? known->queue : "ID",
                       owner_in_words(at.job, step.name));
}

void add(std::vector<SourceDdl> statements, const std::string& when, PlannedStep& planned) {
  for (auto& statement : statements)
    planned.statements.push_back({std::move(statement.sql),
                                  statement.lock.empty() ? "" : statement.lock + kGently, false,
                                  "at the source, " + when});
}

void plan_drain(const FollowedTables& tables, std::size_t place, PlannedStep& planned) {
  const auto& f = tables[place];
  planned.statements.push_back(
      {delete_keys_sql(tables, place), "ROW EXCLUSIVE on the target's table", true, "keys that are gone"});
  planned.statements.push_back(
      {insert_staged_sql(f.copying), "ROW EXCLUSIVE on the target's table", true, "rows that have changed"});
  planned.statements.push_back({acknowledge_sql(f), "", true, "at the source, once they are on disk"});
}

}  // namespace

void check_follow(const FollowAt& at, const CopyStep& step, Findings& findings) {
  read(at, step);
  const auto all = at.source.exec(
      "SELECT pg_catalog.string_agg(pubname, ', ' ORDER BY pubname) FROM pg_catalog.pg_publication WHERE "
      "puballtables");
  if (!all.empty() && !all.is_null(0, 0))
    findings.warn("publications",
                  "step \"" + step.name + "\": publication " + all.text(0, 0) +
                      " at the source is of all tables, so the queue of changes is replicated too",
                  "create schema \"pgsluice\" and the queue at its subscribers, or publish a list of tables");
  findings.inform("follow", "step \"" + step.name + "\": " + kPrice);
}

void plan_follow(const FollowAt& at, const CopyStep& step, PlannedStep& planned) {
  const auto tables = read(at, step);
  std::vector<PlannedStatement> copying;
  copying.swap(planned.statements);
  add(install_statements(tables), "before the copy begins", planned);
  for (auto& statement : copying) planned.statements.push_back(std::move(statement));
  const std::string look = "look at the queue, at the source";
  for (const auto& f : tables) planned.statements.push_back({hold_table_sql(f), kReads, true, look});
  planned.statements.push_back({read_entries_sql(tables, 500), "", true, look});
  for (std::size_t i = 0; i < tables.size(); ++i) plan_drain(tables, i, planned);
  add(refuse_statements(tables), "switch: writers wait until COMMIT", planned);
  add(removal_statements(sources_of(tables)), "after the switch", planned);
  planned.notes.push_back(std::string("follows the source until pgsluice switch: ") + kPrice);
  planned.notes.push_back(
      "while it is copied the queue grows by one entry, some 100 B, for each row written");
}

}  // namespace pgsluice::engine
