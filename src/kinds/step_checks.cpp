#include "kinds/step_checks.hpp"

#include "job/sql/index_body.hpp"
#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/index/index.hpp"
#include "pg/catalog/privileges.hpp"
#include "pg/identifier.hpp"
#include "pg/transaction.hpp"
#include "table/table_checks.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

std::string sql_of(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

bool needs_owner(const job::StatementFacts& facts) {
  return facts.kind == "ALTER TABLE" || facts.kind == "CREATE INDEX" || facts.kind == "DROP TABLE";
}

void check_owner(pg::Session& session, const job::StatementFacts& facts, const pg::Table& table,
                 Findings& findings) {
  if (!needs_owner(facts) || pg::owns_table(session, table.oid)) return;
  findings.refuse("privileges",
                  facts.kind + " is for the owner of table \"" + table.schema + "." + table.name +
                      "\", which this role is not",
                  "run as the owner, or as a member of the owning role", ExitCode::kPrivileges);
}

/// The table that the statement is about, if it is there now; it may be a view, or about to be made.
void check_statement(pg::Session& session, const std::string& sql, const Outlook& outlook,
                     Findings& findings) {
  const auto analysed = job::analyse_statement(sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (!facts || !facts->table || !outlook.dropper_of(*facts->table).empty()) return;
  if (!steps::is_existing_table(session, sql_of(*facts->table))) return;
  try {
    const auto found = read_facts(session, *facts->table);
    check_owner(session, *facts, found.table, findings);
    check_table(session, found.table, found.storage, findings);
  } catch (const pg::Failure& f) {
    warn_of_locked(session, f, *facts->table, findings);
  }
}

}  // namespace

void check_sql_step(pg::Session& session, const SqlStep& step, const Outlook& outlook, Findings& findings) {
  for (const auto& sql : step.up) check_statement(session, sql, outlook, findings);
}

void check_index_step(pg::Session& session, const IndexStep& step, const Outlook& outlook,
                      Findings& findings) {
  const auto analysed = job::analyse_statement(step.sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (!facts || !facts->table) return;
  if (!steps::is_existing_table(session, sql_of(*facts->table))) {
    if (!outlook.maker_of(*facts->table).empty() || !outlook.opaque_step().empty()) return;
    findings.refuse("table",
                    "index step \"" + step.name + "\": table " + sql_of(*facts->table) + " does not exist",
                    "check the name and the database");
    return;
  }
  const auto index_sql = steps::index_in_schema_of(session, sql_of(*facts->table), facts->index_name);
  const auto state = steps::index_state(session, index_sql, sql_of(*facts->table));
  if (state == steps::IndexState::kForeign) {
    findings.refuse(
        "index",
        "the name " + index_sql + " belongs to something else than an index of " + sql_of(*facts->table),
        "give the index of step \"" + step.name + "\" another name");
  }
  const auto other =
      state == steps::IndexState::kValid
          ? steps::other_definition(session, index_sql, sql_of(*facts->table),
                                    {facts->table->name, facts->unique, job::index_body(step.sql)})
          : std::string();
  if (!other.empty())
    findings.refuse("index",
                    "index " + index_sql + " is another one than step \"" + step.name + "\" says: " + other,
                    "drop it, or give the step's index another name");
  if (state == steps::IndexState::kValid && other.empty())
    findings.inform(
        "index", "index " + index_sql + " is there and valid: step \"" + step.name + "\" has nothing to do");
  if (state == steps::IndexState::kInvalid)
    findings.inform("index", "index " + index_sql + " is an INVALID leftover: step \"" + step.name +
                                 "\" drops and builds it again");
  check_statement(session, step.sql, outlook, findings);
}

}  // namespace pgsluice::engine
