#include "kinds/retype/dependents/bound_kinds.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

// A constraint's index has no dependency on its columns, so indkey is read too.
constexpr const char* kIndexRoles = R"sql(
SELECT n.nspname, c.relname, ic.relname, i.indisreplident AND c.relreplident = 'i', i.indisclustered
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (i.indisreplident OR i.indisclustered)
  AND EXISTS (SELECT FROM unnest($1::oid[], $2::int4[]) AS p(relid, attnum)
              WHERE p.relid = i.indrelid
                AND (p.attnum = ANY (i.indkey::int2[])
                     OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.relid
                                  AND d.refobjsubid = p.attnum)))
ORDER BY 1, 2, 3
)sql";

BoundObject role(const std::string& kind, const std::string& name, const std::string& table,
                 const std::string& away, const std::string& back) {
  BoundObject object;
  object.kind = kind;
  object.name = name;
  object.drop.push_back("ALTER TABLE " + table + " " + away);
  object.create.push_back("ALTER TABLE " + table + " " + back);
  object.locked = table;
  return object;
}

}  // namespace

std::vector<BoundObject> read_index_roles(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const auto rows = session.exec(kIndexRoles, place_params(columns));
  std::vector<BoundObject> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string table = pg::Identifier(rows.text(i, 0), rows.text(i, 1)).sql();
    const std::string index = pg::Identifier(rows.text(i, 2)).sql();
    if (rows.boolean(i, 3)) {
      out.push_back(role("replica identity", "replica identity " + index + " of " + table, table,
                         "REPLICA IDENTITY DEFAULT", "REPLICA IDENTITY USING INDEX " + index));
    }
    if (rows.boolean(i, 4)) {
      out.push_back(role("clustering", "clustering of " + table + " on " + index, table,
                         "SET WITHOUT CLUSTER", "CLUSTER ON " + index));
    }
  }
  return out;
}

}  // namespace pgsluice::steps::retype
