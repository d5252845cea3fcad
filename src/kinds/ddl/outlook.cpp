#include "kinds/ddl/outlook.hpp"

#include <algorithm>

#include "job/sql/statement.hpp"
#include "job/sql/table_effects.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

bool may_be_same(const TableName& a, const TableName& b) {
  return a.name == b.name && (a.schema == b.schema || a.schema.empty() || b.schema.empty());
}

bool is_same_table(pg::Session& session, const TableName& a, const TableName& b) {
  if (!may_be_same(a, b)) return false;
  const auto rows =
      session.exec("SELECT pg_catalog.to_regclass($1)::oid, pg_catalog.to_regclass($2)::oid",
                   {pg::Identifier(a.schema, a.name).sql(), pg::Identifier(b.schema, b.name).sql()});
  if (rows.is_null(0, 0) || rows.is_null(0, 1)) return true;
  return rows.text(0, 0) == rows.text(0, 1);
}

void Outlook::forget(const TableName& table, const std::string& step) {
  std::erase_if(made_, [&](const Table& t) { return may_be_same(t.name, table); });
  std::erase_if(columns_, [&](const Column& c) { return may_be_same(c.table, table); });
  dropped_.push_back({table, step, {}, false});
}

void Outlook::add(const std::string& step, const std::string& sql) {
  const auto analysed = job::analyse_statement(sql);
  const auto described = job::table_effects(sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  const auto* effects = std::get_if<job::TableEffects>(&described);
  if (!facts || !effects) return;
  if (effects->is_opaque && opaque_step_.empty()) opaque_step_ = step;
  for (const auto& table : effects->tables_dropped) forget(table, step);
  if (effects->made) {
    std::erase_if(dropped_, [&](const Table& t) { return may_be_same(t.name, effects->made->table); });
    made_.push_back({effects->made->table, step, effects->made->columns, effects->made->has_more_columns});
  }
  if (!facts->table) return;
  for (const auto& column : facts->columns_dropped) {
    std::erase_if(columns_,
                  [&](const Column& c) { return c.name == column && may_be_same(c.table, *facts->table); });
  }
  for (const auto& column : facts->columns_added) columns_.push_back({*facts->table, column, step});
  for (const auto& column : effects->columns_renamed) columns_.push_back({*facts->table, column, step});
}

std::string Outlook::maker_of(const TableName& table) const {
  const auto it =
      std::find_if(made_.begin(), made_.end(), [&](const Table& t) { return may_be_same(t.name, table); });
  return it == made_.end() ? "" : it->step;
}

std::string Outlook::maker_of_any(const std::vector<TableName>& tables) const {
  for (const auto& table : tables) {
    if (auto maker = maker_of(table); !maker.empty()) return maker;
  }
  return {};
}

std::string Outlook::dropper_of(const TableName& table) const {
  const auto it = std::find_if(dropped_.begin(), dropped_.end(),
                               [&](const Table& t) { return may_be_same(t.name, table); });
  return it == dropped_.end() ? "" : it->step;
}

std::string Outlook::adder_of(const TableName& table, const std::string& column) const {
  for (const auto& c : columns_) {
    if (c.name == column && may_be_same(c.table, table)) return c.step;
  }
  for (const auto& t : made_) {
    const bool has_it =
        t.has_more_columns || std::find(t.columns.begin(), t.columns.end(), column) != t.columns.end();
    if (has_it && may_be_same(t.name, table)) return t.step;
  }
  return {};
}

}  // namespace pgsluice::engine
