#include "kinds/retype/acts/readiness.hpp"

#include <set>

#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kIndexLacks = R"sql(
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                   WHERE i.indrelid = $1::oid AND c.relname = $2 AND i.indisvalid AND i.indisready
                     AND i.indisunique = $3::boolean AND i.indnatts = $4::int AND i.indnkeyatts = $5::int
                     AND (i.indpred IS NOT NULL) = $6::boolean)
)sql";

constexpr const char* kConstraintLacks = R"sql(
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
                   WHERE c.conrelid = $1::oid AND c.conname = $2 AND c.convalidated >= $3::boolean)
)sql";

constexpr const char* kColumnLacks = R"sql(
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = $1::oid AND a.attname = $2 AND a.attnotnull >= $3::boolean)
)sql";

constexpr const char* kDependents = R"sql(
SELECT count(*) || ' ' || coalesce(sum(d.objid::bigint * 31 + d.refobjsubid), 0)
FROM pg_catalog.pg_depend d
WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
)sql";

constexpr const char* kTaken = R"sql(
SELECT 'index ' || pg_catalog.quote_ident(t.schema) || '.' || pg_catalog.quote_ident(t.name)
FROM unnest($1::text[], $2::text[]) AS t(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
UNION
SELECT 'constraint ' || pg_catalog.quote_ident(c.conname) || ' of table ' || c.conrelid::regclass::text
FROM unnest($3::oid[], $4::text[]) AS t(relid, name)
JOIN pg_catalog.pg_constraint c ON c.conrelid = t.relid AND c.conname = t.name
ORDER BY 1
)sql";

std::string flag(bool value) {
  return value ? "true" : "false";
}

/// What an index and its twin have in common, apart from the columns.
pg::Params likeness_of(std::uint32_t table_oid, const std::string& twin, const GraphIndex& index) {
  return {std::to_string(table_oid),       twin,
          flag(index.is_unique),           std::to_string(index.parts.size()),
          std::to_string(index.key_parts), flag(!index.predicate.empty())};
}

/// Collects missing twins. Lives for one search.
class TwinSearch {
 public:
  explicit TwinSearch(pg::Session& session) : session_(session) {}

  /// A key of a partitioned table has twins on its partitions only.
  void index(const GraphTable& table, const GraphIndex& index, const Naming& naming) {
    if (table.kind != "p" || index.constraint_type.empty())
      note(table, "index", index.name, naming(index.name),
           session_.exec(kIndexLacks, likeness_of(table.oid, naming(index.name), index)));
    for (std::size_t i = 0; i < table.partitions.size(); ++i) {
      const auto part = part_name(index, i, naming);
      note(table, "index", index.of_partitions[i], part,
           session_.exec(kIndexLacks, likeness_of(table.partitions[i].oid, part, index)));
    }
  }
  void constraint(const GraphTable& table, const std::string& name, const std::string& twin, bool is_valid) {
    note(table, "constraint", name, twin,
         session_.exec(kConstraintLacks, {std::to_string(table.oid), twin, flag(is_valid)}));
  }
  void column(const GraphTable& table, const GraphColumn& column) {
    note(table, "column", column.name, new_name(column.name),
         session_.exec(kColumnLacks,
                       {std::to_string(table.oid), new_name(column.name), flag(column.is_not_null)}));
  }
  std::string found() && { return std::move(found_); }
  /// The quoted names of what is missing.
  std::vector<std::string> names() && { return std::move(names_); }

 private:
  void note(const GraphTable& table, const std::string& kind, const std::string& name,
            const std::string& twin, const pg::Rows& lacks) {
    if (!lacks.boolean(0, 0)) return;
    names_.push_back(pg::Identifier(twin).sql());
    found_ += (found_.empty() ? "" : ", ") + kind + " " + pg::Identifier(name).sql() + " of " + table.sql() +
              " has no valid twin";
  }

  pg::Session& session_;
  std::string found_;
  std::vector<std::string> names_;
};

void search_twins(const Retype& retype, TwinSearch& search) {
  for (const auto& table : retype.graph.tables) {
    for (const auto& column : table.columns) search.column(table, column);
    for (const auto& index : table.indexes) {
      search.index(table, index, new_name);
      if (is_primary(index)) search.index(table, index, old_name);
    }
    for (const auto& check : table.checks)
      search.constraint(table, check.name, new_name(check.name), check.is_validated);
  }
  for (const auto& key : retype.graph.foreign_keys)
    search.constraint(retype.table(key.table), key.name, new_name(key.name), key.is_validated);
}

constexpr const char* kOverShadows = R"sql(
SELECT 'constraint ' || pg_catalog.quote_ident(c.conname), c.conname
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = $1::oid AND c.contype IN ('c', 'f', 'u')
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.conrelid AND a.attname = ANY ($2::text[]) AND a.attnum = ANY (c.conkey))
UNION
SELECT 'index ' || pg_catalog.quote_ident(ic.relname), ic.relname
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
WHERE i.indrelid = $1::oid
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attname = ANY ($2::text[]) AND a.attnum = ANY (i.indkey::int2[]))
ORDER BY 1
)sql";

std::set<std::string> twins_of(const Retype& retype, const GraphTable& table) {
  std::set<std::string> out;
  for (const auto& column : table.columns) out.insert({map_check(column.name), filled_check(column.name)});
  for (const auto& index : table.indexes) out.insert(new_name(index.name));
  for (const auto& check : table.checks) out.insert(new_name(check.name));
  for (const auto& key : retype.graph.foreign_keys) {
    if (&retype.table(key.table) == &table) out.insert(new_name(key.name));
  }
  return out;
}

}  // namespace

std::string missing_twins(pg::Session& session, const Retype& retype) {
  TwinSearch search(session);
  search_twins(retype, search);
  return std::move(search).found();
}

std::vector<std::string> names_of_missing_twins(pg::Session& session, const Retype& retype) {
  TwinSearch search(session);
  search_twins(retype, search);
  return std::move(search).names();
}

std::string orphaned_twins(pg::Session& session, const Retype& retype) {
  std::string out;
  for (const auto& table : retype.graph.tables) {
    const auto known = twins_of(retype, table);
    std::vector<std::string> shadows;
    for (const auto& column : table.columns) shadows.push_back(new_name(column.name));
    const auto rows = session.exec(kOverShadows, {std::to_string(table.oid), pg::to_array(shadows)});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!known.count(rows.text(i, 1)))
        out += (out.empty() ? "" : ", ") + rows.text(i, 0) + " of " + table.sql() + " is the twin of nothing";
    }
  }
  return out;
}

std::string missing_old_twins(pg::Session& session, const Retype& retype) {
  TwinSearch search(session);
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) search.index(table, index, old_name);
  }
  return std::move(search).found();
}

std::vector<KeyCopy> missing_key_copies(pg::Session& session, const Retype& retype) {
  std::vector<KeyCopy> out;
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) {
      for (std::size_t i = 0; is_primary(index) && i < table.partitions.size(); ++i) {
        const auto& partition = table.partitions[i];
        const auto name = old_name(index.of_partitions[i]);
        if (!session.exec(kIndexLacks, likeness_of(partition.oid, name, index)).boolean(0, 0)) continue;
        const auto sql =
            index_twin_sql(retype, table, index, {partition.sql(), "CONCURRENTLY "}, name, old_name);
        out.push_back({pg::Identifier(partition.schema, name).sql(), partition.sql(), sql});
      }
    }
  }
  return out;
}

std::vector<std::string> taken_names(pg::Session& session, const Retype& retype) {
  std::vector<std::string> schemas, relations, tables, constraints;
  const auto relation = [&](const std::string& schema, const std::string& name) {
    for (const auto& twin : {new_name(name), old_name(name)}) {
      schemas.push_back(schema);
      relations.push_back(twin);
    }
  };
  const auto constraint = [&](std::uint32_t table, const std::string& name) {
    tables.push_back(std::to_string(table));
    constraints.push_back(name);
  };
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) {
      relation(table.schema, index.name);
      for (std::size_t i = 0; i < table.partitions.size(); ++i)
        relation(table.partitions[i].schema, index.of_partitions[i]);
    }
    for (const auto& check : table.checks) {
      constraint(table.oid, new_name(check.name));
      constraint(table.oid, old_name(check.name));
    }
  }
  for (const auto& key : retype.graph.foreign_keys) {
    constraint(retype.table(key.table).oid, new_name(key.name));
    constraint(retype.table(key.table).oid, old_name(key.name));
  }
  const auto rows = session.exec(kTaken, {pg::to_array(schemas), pg::to_array(relations),
                                          pg::to_array(tables), pg::to_array(constraints)});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

std::string dependents(pg::Session& session, const Graph& graph) {
  std::vector<std::string> oids;
  for (const auto& table : graph.tables) oids.push_back(std::to_string(table.oid));
  return session.exec(kDependents, {pg::to_array(oids)}).text(0, 0);
}

}  // namespace pgsluice::steps::retype
