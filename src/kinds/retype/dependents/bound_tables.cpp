#include "kinds/retype/dependents/bound_kinds.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kUnfitTables = R"sql(
SELECT c.oid::regclass,
       c.relkind = 'f',
       c.relispartition AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                                        WHERE i.inhrelid = c.oid AND i.inhparent = ANY ($1::oid[])),
       c.relkind <> 'p' AND NOT c.relispartition
         AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)),
       c.relkind NOT IN ('r', 'p', 'f'), c.reloftype <> 0,
       EXISTS (SELECT FROM pg_catalog.pg_depend e
               WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[])
ORDER BY c.oid
)sql";

constexpr const char* kUnfitColumns = R"sql(
SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, a.attrelid, a.attnum), a.attgenerated <> '',
       EXISTS (SELECT FROM pg_catalog.pg_partitioned_table t
               WHERE t.partrelid = a.attrelid AND a.attnum = ANY (t.partattrs::int2[]))
FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS p(relid, attnum, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = p.relid AND a.attnum = p.attnum
ORDER BY p.n
)sql";

// Columns whose type is a table's row type, an array of it or a domain over it. Read from pg_depend, as
// pg_attribute has no index on the type.
constexpr const char* kRowTypeColumns = R"sql(
WITH RECURSIVE row_type(relid, typid) AS (
  SELECT c.oid, t.typid
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type y ON y.oid = c.reltype
  CROSS JOIN LATERAL (VALUES (y.oid), (y.typarray)) AS t(typid)
  WHERE c.oid = ANY ($1::oid[])
  UNION
  SELECT r.relid, t.typid
  FROM row_type r
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = r.typid
  JOIN pg_catalog.pg_type y ON d.classid = 'pg_catalog.pg_type'::regclass AND y.oid = d.objid AND y.typtype = 'd'
  CROSS JOIN LATERAL (VALUES (y.oid), (y.typarray)) AS t(typid)
)
SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), r.relid::regclass
FROM row_type r
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = r.typid
JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
WHERE d.objsubid <> 0 AND c.relkind IN ('r', 'p', 'm', 'f', 'c')
ORDER BY 1, 2
)sql";

struct Unfit {
  const char* kind;
  const char* refusal;
  const char* hint;
};

// In the order of kUnfitTables.
constexpr Unfit kUnfit[] = {
    {"foreign table", "it is a foreign table", "change it where its rows are"},
    {"partitioning", "it is a partition", "name the table that it belongs to"},
    {"inheritance", "tables with inheritance parents or children are not handled yet",
     "take it out with ALTER TABLE … NO INHERIT"},
    {"table", "it is not a table", "name the table itself"},
    {"typed table", "it is a typed table, which cannot have columns of its own",
     "make it an ordinary table first: ALTER TABLE … NOT OF"},
    {"extension", "it belongs to an extension", "take it out of the extension with ALTER EXTENSION … DROP"},
};

void add_unfit_tables(const pg::Rows& rows, std::vector<BoundObject>& out) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < std::size(kUnfit); ++k) {
      if (rows.boolean(i, k + 1))
        out.push_back(
            refused_object(kUnfit[k].kind, "table " + rows.text(i, 0), kUnfit[k].refusal, kUnfit[k].hint));
    }
  }
}

void add_unfit_columns(const pg::Rows& rows, std::vector<BoundObject>& out) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.boolean(i, 1)) {
      out.push_back(refused_object("generated column", rows.text(i, 0), "it is a generated column",
                                   "retype the columns from which it is computed"));
    }
    if (rows.boolean(i, 2))
      out.push_back(
          refused_object("partition key", rows.text(i, 0), "its table's partition key contains it", ""));
  }
}

void add_row_type_columns(const pg::Rows& rows, std::vector<BoundObject>& out) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(
        refused_object("row type", rows.text(i, 0),
                       "its type is made from the rows of " + rows.text(i, 1) + ", whose shape changes",
                       "give it another type, or drop it until the retype is over"));
  }
}

}  // namespace

std::vector<BoundObject> read_table_refusals(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const pg::Params tables{oid_array(tables_of(columns))};
  std::vector<BoundObject> out;
  add_unfit_tables(session.exec(kUnfitTables, tables), out);
  add_unfit_columns(session.exec(kUnfitColumns, place_params(columns)), out);
  add_row_type_columns(session.exec(kRowTypeColumns, tables), out);
  return out;
}

}  // namespace pgsluice::steps::retype
