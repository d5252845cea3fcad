#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

// Servers before 13 have no column for the target; since 17 it is NULL for the default.
constexpr const char* kStatistics = R"sql(
SELECT s.oid, n.nspname, s.stxname, pg_catalog.pg_get_userbyid(s.stxowner), pg_catalog.pg_get_statisticsobjdef(s.oid),
       coalesce((pg_catalog.to_jsonb(s) ->> 'stxstattarget')::int, -1),
       pg_catalog.obj_description(s.oid, 'pg_statistic_ext')
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE s.oid = ANY ($1::oid[])
)sql";

}  // namespace

Scripts read_statistics(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kStatistics, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = "STATISTICS " + pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql();
    Script& script = scripts[oid_at(rows, i, 0)];
    script.drop.push_back("DROP " + name);
    script.create.push_back(rows.text(i, 4));
    script.create.push_back("ALTER " + name + " OWNER TO " + pg::Identifier(rows.text(i, 3)).sql());
    if (rows.integer(i, 5) != -1)
      script.create.push_back("ALTER " + name + " SET STATISTICS " + rows.text(i, 5));
    add_comment(script.create, name, rows.at(i, 6));
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
