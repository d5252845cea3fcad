#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// Column lists and row filters came with server 15; before that, no part of a publication is bound to a
// column.
constexpr const char* kPublications = R"sql(
SELECT r.oid, p.pubname, n.nspname, c.relname,
       ARRAY(SELECT a.attname FROM unnest(r.prattrs::int2[]) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k.attnum ORDER BY k.n)::text[],
       pg_catalog.pg_get_expr(r.prqual, r.prrelid)
FROM pg_catalog.pg_publication_rel r
JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.oid = ANY ($1::oid[])
)sql";

}  // namespace

Scripts read_publications(pg::Session& session, const Oids& oids) {
  const auto rows = session.exec(kPublications, {oid_array(oids)});
  Scripts scripts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string publication = "ALTER PUBLICATION " + pg::Identifier(rows.text(i, 1)).sql();
    const std::string table = "TABLE ONLY " + pg::Identifier(rows.text(i, 2), rows.text(i, 3)).sql();
    const auto columns = pg::from_array(rows.text(i, 4));
    Script& script = scripts[oid_at(rows, i, 0)];
    script.drop.push_back(publication + " DROP " + table);
    script.create.push_back(publication + " ADD " + table +
                            (columns.empty() ? "" : " (" + pg::column_list(columns) + ")") +
                            (rows.is_null(i, 5) ? "" : " WHERE (" + rows.text(i, 5) + ")"));
  }
  return scripts;
}

}  // namespace pgsluice::steps::retype
