#include "kinds/retype/dependents/bound_grants.hpp"
#include "kinds/retype/dependents/bound_kinds.hpp"
#include "kinds/retype/dependents/bound_remarks.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kViews = R"sql(
SELECT v.oid, n.nspname, v.relname, pg_catalog.pg_get_userbyid(v.relowner),
       pg_catalog.rtrim(pg_catalog.pg_get_viewdef(v.oid), ';'),
       ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)::text[],
       (SELECT string_agg(pg_catalog.quote_ident(o.option_name) || ' = ' || pg_catalog.quote_literal(o.option_value), ', ')
        FROM pg_catalog.pg_options_to_table(v.reloptions) o),
       v.relacl IS NOT NULL
FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
WHERE v.oid = ANY ($1::oid[])
)sql";

constexpr const char* kDefaults = R"sql(
SELECT d.adrelid, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = ANY ($1::oid[])
ORDER BY d.adrelid, d.adnum
)sql";

// A new view starts with the ALTER DEFAULT PRIVILEGES of the role that creates it.
constexpr const char* kDefaultGrantees = R"sql(
SELECT DISTINCT v.oid,
       CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(e.grantee)) END
FROM pg_catalog.pg_class v
JOIN pg_catalog.pg_default_acl d ON d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, v.relnamespace)
JOIN pg_catalog.pg_roles u ON u.oid = d.defaclrole AND u.rolname = current_user
LEFT JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) e ON true
WHERE v.oid = ANY ($1::oid[])
ORDER BY 1, 2
)sql";

struct View {
  std::string sql;
  std::string owner_sql;
  bool has_acl = false;
};

using Views = std::map<std::uint32_t, View>;

Views read_definitions(pg::Session& session, const pg::Params& oids, Scripts& scripts) {
  const auto rows = session.exec(kViews, oids);
  Views views;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const View view{pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql(),
                    pg::Identifier(rows.text(i, 3)).sql(), rows.boolean(i, 7)};
    views[oid_at(rows, i, 0)] = view;
    Script& script = scripts[oid_at(rows, i, 0)];
    const auto columns = pg::from_array(rows.text(i, 5));
    script.locked = view.sql;
    script.drop.push_back("DROP VIEW " + view.sql);
    script.create.push_back(
        "CREATE VIEW " + view.sql + (columns.empty() ? "" : " (" + pg::column_list(columns) + ")") +
        (rows.is_null(i, 6) ? "" : " WITH (" + rows.text(i, 6) + ")") + " AS\n" + rows.text(i, 4));
    const std::string own = "ALTER VIEW " + view.sql + " OWNER TO " + view.owner_sql;
    script.create.push_back(own);
    script.lock = own;  // changes nothing, as that role is the owner already
  }
  return views;
}

void add_defaults(pg::Session& session, const pg::Params& oids, const Views& views, Scripts& scripts) {
  const auto rows = session.exec(kDefaults, oids);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto oid = oid_at(rows, i, 0);
    scripts[oid].create.push_back("ALTER VIEW " + views.at(oid).sql + " ALTER COLUMN " +
                                  pg::Identifier(rows.text(i, 1)).sql() + " SET DEFAULT " + rows.text(i, 2));
  }
}

void add_remarks(pg::Session& session, const Oids& oids, const Views& views, Scripts& scripts) {
  for (const auto& remark : read_remarks(session, oids)) {
    const std::string& view = views.at(remark.relation).sql;
    const std::string object =
        remark.attnum == 0 ? "VIEW " + view : "COLUMN " + view + "." + pg::Identifier(remark.column).sql();
    scripts[remark.relation].create.push_back(remark_sql(remark, object, remark.text));
  }
}

void add_grants(pg::Session& session, const Oids& oids, const Views& views, Scripts& scripts) {
  const auto defaults = session.exec(kDefaultGrantees, {oid_array(oids)});
  std::map<std::uint32_t, bool> is_changed_by_default;
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    const auto oid = oid_at(defaults, i, 0);
    is_changed_by_default[oid] = true;
    scripts[oid].create.push_back("REVOKE ALL PRIVILEGES ON TABLE " + views.at(oid).sql + " FROM " +
                                  defaults.text(i, 1));
  }
  for (const auto& [oid, view] : views) {
    auto& create = scripts[oid].create;
    if (view.has_acl)
      create.push_back("REVOKE ALL PRIVILEGES ON TABLE " + view.sql + " FROM " + view.owner_sql);
    else if (is_changed_by_default.contains(oid))
      create.push_back("GRANT ALL PRIVILEGES ON TABLE " + view.sql + " TO " + view.owner_sql);
  }
  const auto self = current_role(session);
  for (const auto& grant : read_grants(session, oids))
    add_grant(scripts[grant.relation], grant, views.at(grant.relation).sql, self);
}

}  // namespace

Scripts read_views(pg::Session& session, const Oids& oids) {
  Scripts scripts;
  const pg::Params params{oid_array(oids)};
  const auto views = read_definitions(session, params, scripts);
  add_defaults(session, params, views, scripts);
  add_remarks(session, oids, views, scripts);
  add_grants(session, oids, views, scripts);
  return scripts;
}

}  // namespace pgsluice::steps::retype
