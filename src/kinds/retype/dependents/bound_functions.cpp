#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// The definition, and the same with an empty body: the output of pg_get_functiondef ends with the parsed body
// and a line end. Replacing a function forgets the extensions that it depends on.
constexpr const char* kFunctions = R"sql(
SELECT f.oid, f.oid::regprocedure, d.definition,
       pg_catalog.left(d.definition, -1 - pg_catalog.length(pg_catalog.pg_get_function_sqlbody(f.oid))) || 'AS ''''',
       ARRAY(SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'x'
               AND d.refclassid = 'pg_catalog.pg_extension'::regclass ORDER BY e.extname)::text[],
       (f.proleakproof OR f.prosupport <> 0)
         AND NOT (SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.rolname = current_user),
       pg_catalog.current_setting('check_function_bodies'), pg_catalog.current_setting('row_security')
FROM pg_catalog.pg_proc f CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_functiondef(f.oid) AS definition) d
WHERE f.oid = ANY ($1::oid[])
)sql";

std::string set_local(const std::string& setting, const std::string& value) {
  return "SET LOCAL " + setting + " = " + value;
}

}  // namespace

Scripts read_functions(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kFunctions, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Script& script = scripts[oid_at(rows, i, 0)];
    // An empty body does not fit most return types. And a body is checked by rewriting it, which fails
    // without row_security where a policy applies.
    script.drop = {set_local("check_function_bodies", "off"), rows.text(i, 3),
                   set_local("check_function_bodies", rows.text(i, 6))};
    script.create = {set_local("row_security", "on"), rows.text(i, 2),
                     set_local("row_security", rows.text(i, 7))};
    for (const auto& extension : pg::from_array(rows.text(i, 4))) {
      script.create.push_back("ALTER ROUTINE " + rows.text(i, 1) + " DEPENDS ON EXTENSION " +
                              pg::Identifier(extension).sql());
    }
    if (rows.boolean(i, 5)) {
      script.refusal = "only a superuser can replace a function that is LEAKPROOF or has a SUPPORT function";
      script.hint = "connect as a superuser";
    }
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
