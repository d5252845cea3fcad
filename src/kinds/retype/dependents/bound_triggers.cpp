#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// A constraint trigger has a constraint of the same name, which may have its own comment.
constexpr const char* kTriggers = R"sql(
SELECT t.oid, n.nspname, c.relname, t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled,
       pg_catalog.obj_description(t.oid, 'pg_trigger'), pg_catalog.obj_description(t.tgconstraint, 'pg_constraint'),
       ARRAY(SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'x'
               AND d.refclassid = 'pg_catalog.pg_extension'::regclass ORDER BY e.extname)::text[]
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.oid = ANY ($1::oid[])
)sql";

}  // namespace

Scripts read_triggers(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kTriggers, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string relation = pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql();
    const std::string name = pg::Identifier(rows.text(i, 3)).sql();
    const std::string trigger = name + " ON " + relation;
    Script& script = scripts[oid_at(rows, i, 0)];
    script.locked = relation;
    script.drop.push_back("DROP TRIGGER " + trigger);
    script.create.push_back(rows.text(i, 4));
    const std::string state = enabling_word(rows.text(i, 5));
    if (!state.empty()) script.create.push_back("ALTER TABLE " + relation + " " + state + " TRIGGER " + name);
    add_comment(script.create, "TRIGGER " + trigger, rows.at(i, 6));
    add_comment(script.create, "CONSTRAINT " + trigger, rows.at(i, 7));
    for (const auto& extension : pg::from_array(rows.text(i, 8))) {
      script.create.push_back("ALTER TRIGGER " + trigger + " DEPENDS ON EXTENSION " +
                              pg::Identifier(extension).sql());
    }
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
