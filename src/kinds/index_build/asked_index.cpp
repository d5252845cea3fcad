#include "kinds/index_build/asked_index.hpp"

#include "job/sql/index_body.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

std::optional<AskedIndex> asked_index(const std::string& sql) {
  const auto analysed = job::analyse_statement(sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (!facts || !facts->table) return std::nullopt;
  const auto& table = *facts->table;
  return AskedIndex{*facts,
                    pg::Identifier(table.schema, table.name).sql(),
                    {table.name, facts->unique, job::index_body(sql)}};
}

std::string index_sql_of(pg::Session& session, const AskedIndex& asked) {
  return steps::index_in_schema_of(session, asked.table_sql, asked.facts.index_name);
}

}  // namespace pgsluice::engine
