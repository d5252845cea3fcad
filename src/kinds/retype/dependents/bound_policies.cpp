#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kPolicies = R"sql(
SELECT p.oid, n.nspname, c.relname, p.polname, p.polpermissive,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                     ELSE 'ALL' END,
       (SELECT string_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC'
                               ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.oid)) END, ', ' ORDER BY r.n)
        FROM unnest(p.polroles) WITH ORDINALITY AS r(oid, n)),
       pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
       pg_catalog.obj_description(p.oid, 'pg_policy')
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.oid = ANY ($1::oid[])
)sql";

}  // namespace

Scripts read_policies(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kPolicies, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string table = pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql();
    const std::string policy = pg::Identifier(rows.text(i, 3)).sql() + " ON " + table;
    Script& script = scripts[oid_at(rows, i, 0)];
    script.locked = table;
    script.drop.push_back("DROP POLICY " + policy);
    script.create.push_back("CREATE POLICY " + policy + " AS " +
                            (rows.boolean(i, 4) ? "PERMISSIVE" : "RESTRICTIVE") + " FOR " + rows.text(i, 5) +
                            " TO " + rows.text(i, 6) +
                            (rows.is_null(i, 7) ? "" : " USING (" + rows.text(i, 7) + ")") +
                            (rows.is_null(i, 8) ? "" : " WITH CHECK (" + rows.text(i, 8) + ")"));
    add_comment(script.create, "POLICY " + policy, rows.at(i, 9));
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
