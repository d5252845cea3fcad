#include <algorithm>

#include "kinds/retype/dependents/bound_grants.hpp"
#include "kinds/retype/dependents/bound_kinds.hpp"
#include "kinds/retype/dependents/bound_remarks.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

// A target of NULL (since server 17) or -1 is the default. Since the minor releases of November 2026 the
// server keeps an option of its own among them, pg_attver; pg_dump leaves it out too.
constexpr const char* kSettings = R"sql(
SELECT coalesce(a.attstattarget, -1),
       (SELECT string_agg(pg_catalog.quote_ident(o.option_name) || ' = ' || pg_catalog.quote_literal(o.option_value), ', ')
        FROM pg_catalog.pg_options_to_table(a.attoptions) o WHERE o.option_name <> 'pg_attver'),
       (SELECT string_agg(pg_catalog.quote_ident(o.option_name), ', ')
        FROM pg_catalog.pg_options_to_table(a.attoptions) o WHERE o.option_name <> 'pg_attver')
FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS p(relid, attnum, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = p.relid AND a.attnum = p.attnum
ORDER BY p.n
)sql";

std::string column_sql(const ColumnPlace& place) {
  return place.table_sql + "." + pg::Identifier(place.column).sql();
}

BoundObject property(const ColumnPlace& place, const std::string& kind) {
  BoundObject object;
  object.kind = kind;
  object.name = kind + " of " + column_sql(place);
  return object;
}

BoundObject grants_of(const ColumnPlace& place, const std::vector<Grant>& all, const std::string& self) {
  std::vector<Grant> grants;
  std::copy_if(all.begin(), all.end(), std::back_inserter(grants), [&](const Grant& g) {
    return g.relation == place.table_oid && g.column == pg::Value(place.column);
  });
  Script script;
  for (const auto& grant : grants) add_grant(script, grant, place.table_sql, self);
  BoundObject object = property(place, "column grant");
  if (!script.refusal.empty()) return refused_object(object.kind, object.name, script.refusal, script.hint);
  object.drop = revoke_statements(grants, place.table_sql, self);
  object.create = script.create;
  return object;
}

BoundObject remark_of(const ColumnPlace& place, const Remark& remark) {
  BoundObject object = property(place, remark.provider ? "security label" : "column comment");
  const std::string column = "COLUMN " + column_sql(place);
  object.drop.push_back(remark_sql(remark, column, {}));
  object.create.push_back(remark_sql(remark, column, remark.text));
  return object;
}

BoundObject settings_of(const ColumnPlace& place, const pg::Rows& settings, std::size_t row) {
  BoundObject object = property(place, "column settings");
  const std::string alter =
      "ALTER TABLE " + place.table_sql + " ALTER COLUMN " + pg::Identifier(place.column).sql();
  if (settings.integer(row, 0) != -1) {
    object.drop.push_back(alter + " SET STATISTICS -1");
    object.create.push_back(alter + " SET STATISTICS " + settings.text(row, 0));
  }
  if (!settings.is_null(row, 1)) {
    object.drop.push_back(alter + " RESET (" + settings.text(row, 2) + ")");
    object.create.push_back(alter + " SET (" + settings.text(row, 1) + ")");
  }
  return object;
}

}  // namespace

std::vector<BoundObject> read_column_properties(pg::Session& session,
                                                const std::vector<ColumnPlace>& columns) {
  const Oids tables = tables_of(columns);
  const auto grants = read_grants(session, tables);
  const auto remarks = read_remarks(session, tables);
  const auto settings = session.exec(kSettings, place_params(columns));
  const auto self = current_role(session);
  std::vector<BoundObject> out;
  const auto add = [&](BoundObject object) {
    if (!object.drop.empty() || !object.refusal.empty()) out.push_back(std::move(object));
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    add(grants_of(columns[i], grants, self));
    for (const auto& remark : remarks) {
      if (remark.relation == columns[i].table_oid && remark.attnum == columns[i].attnum)
        add(remark_of(columns[i], remark));
    }
    if (i < settings.size()) add(settings_of(columns[i], settings, i));
  }
  return out;
}

}  // namespace pgsluice::steps::retype
