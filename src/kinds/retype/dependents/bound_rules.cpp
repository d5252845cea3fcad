#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kRules = R"sql(
SELECT r.oid, n.nspname, c.relname, r.rulename, pg_catalog.rtrim(pg_catalog.pg_get_ruledef(r.oid), ';'), r.ev_enabled,
       pg_catalog.obj_description(r.oid, 'pg_rewrite')
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.oid = ANY ($1::oid[])
)sql";

}  // namespace

Scripts read_rules(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kRules, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string relation = pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql();
    const std::string name = pg::Identifier(rows.text(i, 3)).sql();
    Script& script = scripts[oid_at(rows, i, 0)];
    script.locked = relation;
    script.drop.push_back("DROP RULE " + name + " ON " + relation);
    script.create.push_back(rows.text(i, 4));
    const std::string state = enabling_word(rows.text(i, 5));
    if (!state.empty()) script.create.push_back("ALTER TABLE " + relation + " " + state + " RULE " + name);
    add_comment(script.create, "RULE " + name + " ON " + relation, rows.at(i, 6));
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
