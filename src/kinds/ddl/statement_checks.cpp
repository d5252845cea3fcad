#include "kinds/ddl/statement_checks.hpp"

#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl.hpp"
#include "pg/catalog/privileges.hpp"
#include "pg/identifier.hpp"
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
                  facts.kind + " is reserved for the owner of table \"" + table.schema + "." + table.name +
                      "\", which this role is not",
                  "run as the owner, or as a member of the owning role", ExitCode::kPrivileges);
}

}  // namespace

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

}  // namespace pgsluice::engine
