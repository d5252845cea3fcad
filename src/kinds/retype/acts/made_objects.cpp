#include "kinds/retype/acts/made_objects.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "kinds/retype/graph/exact_settings.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kInTheWay = R"sql(
SELECT o.kind || ' ' || o.name || CASE WHEN o.kind = 'trigger' THEN ' of table ' || o.relid::regclass ELSE '' END
FROM unnest($1::text[], $2::text[], $3::oid[]) WITH ORDINALITY AS o(kind, name, relid, n)
WHERE CASE o.kind
        WHEN 'trigger' THEN EXISTS (SELECT FROM pg_catalog.pg_trigger t
                                    WHERE t.tgrelid = o.relid AND '"' || replace(t.tgname, '"', '""') || '"' = o.name)
        WHEN 'function' THEN pg_catalog.to_regprocedure(o.name || '()') IS NOT NULL
        WHEN 'sequence' THEN pg_catalog.to_regclass(o.name) IS NOT NULL
        ELSE false END
ORDER BY o.n
)sql";

constexpr const char* kTables = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relispartition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p')
)sql";

constexpr const char* kDefault = R"sql(
SELECT pg_catalog.md5(coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''))
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND a.attname = $2 AND NOT a.attisdropped
)sql";

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// An index is in its table's schema, even if the table moves to another one.
void add_indexes(const GraphTable& table, const GraphIndex& index, std::vector<MadeObject>& out) {
  if (table.kind != "p") out.push_back({"index", quoted(old_name(index.name)), table.oid});
  for (std::size_t i = 0; i < table.partitions.size(); ++i)
    out.push_back({"index", quoted(old_name(index.of_partitions[i])), table.partitions[i].oid});
}

void add_column(std::uint32_t table_oid, const GraphColumn& column, std::vector<MadeObject>& out) {
  out.push_back({"column", quoted(new_name(column.name)), table_oid});
  out.push_back({"old column", quoted(old_name(column.name)), table_oid});
}

void add_table(const Retype& retype, const GraphTable& table, std::vector<MadeObject>& out) {
  const auto& owner = retype.owner;
  out.push_back({"table", table.sql(), table.oid});
  for (const auto& trigger : {insert_trigger(owner), update_trigger(owner), late_trigger(owner)})
    out.push_back({"trigger", quoted(trigger), table.oid});
  for (const auto& function : {sync_function(owner, table), late_function(owner, table)})
    out.push_back({"function", function, table.oid});
  for (const auto& partition : table.partitions) out.push_back({"partition", partition.sql(), partition.oid});
  for (const auto& column : table.columns) {
    add_column(table.oid, column, out);
    for (const auto& partition : table.partitions) add_column(partition.oid, column, out);
    if (!column.refers_to) out.push_back({"sequence", key_sequence(owner, table, column), table.oid});
  }
  for (const auto& index : table.indexes) {
    if (is_primary(index)) add_indexes(table, index, out);
  }
}

}  // namespace

std::vector<MadeObject> objects_to_be_made(const Retype& retype) {
  std::vector<MadeObject> out;
  for (const auto& table : retype.graph.tables) add_table(retype, table, out);
  for (const auto& key : retype.graph.foreign_keys) {
    const auto& table = retype.table(key.table);
    out.push_back({"constraint", quoted(new_name(key.name)), table.oid});
    for (std::size_t i = 0; i < table.partitions.size(); ++i)
      out.push_back({"constraint", quoted(new_name(key.of_partitions[i])), table.partitions[i].oid});
  }
  return out;
}

std::vector<MadeObject> defaults_made(pg::Session& session, const Graph& graph) {
  const ExactSettings settings(session);  // the search_path decides how a default is written
  std::vector<MadeObject> out;
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns) {
      const auto rows = session.exec(kDefault, {std::to_string(table.oid), column.name});
      if (!rows.empty()) out.push_back({"default", quoted(column.name) + " " + rows.text(0, 0), table.oid});
    }
  }
  return out;
}

std::vector<std::string> objects_in_the_way(pg::Session& session, const std::vector<MadeObject>& objects) {
  std::vector<std::string> kinds, names, tables, out;
  for (const auto& object : objects) {
    kinds.push_back(object.kind);
    names.push_back(object.name);
    tables.push_back(std::to_string(object.table_oid));
  }
  const auto rows = session.exec(kInTheWay, {pg::to_array(kinds), pg::to_array(names), pg::to_array(tables)});
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

std::map<std::uint32_t, TableNow> tables_now(pg::Session& session, const std::vector<MadeObject>& objects) {
  std::vector<std::string> oids;
  for (const auto& object : objects) oids.push_back(std::to_string(object.table_oid));
  const auto rows = session.exec(kTables, {pg::to_array(oids)});
  std::map<std::uint32_t, TableNow> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out[static_cast<std::uint32_t>(rows.integer(i, 0))] = {
        pg::Identifier(rows.text(i, 1), rows.text(i, 2)).sql(), quoted(rows.text(i, 1)), rows.boolean(i, 3)};
  return out;
}

std::vector<MadeObject> left_behind(const Graph& graph, const std::vector<MadeObject>& objects) {
  std::set<std::pair<std::string, std::uint32_t>> here;
  std::set<std::uint32_t> left;
  for (const auto& table : graph.tables) {
    here.insert({"table", table.oid});
    for (const auto& partition : table.partitions) here.insert({"partition", partition.oid});
  }
  // A detached partition may have become a table of the graph through its own foreign key.
  for (const auto& object : objects) {
    if ((object.kind == "table" || object.kind == "partition") &&
        !here.count({object.kind, object.table_oid}))
      left.insert(object.table_oid);
  }
  auto out = objects;
  std::erase_if(out, [&](const auto& object) { return left.count(object.table_oid) == 0; });
  return out;
}

std::vector<MadeObject> columns_left(const Graph& graph, const std::vector<MadeObject>& objects,
                                     const std::string& kind) {
  std::vector<MadeObject> out;
  for (const auto& table : graph.tables) {
    std::set<std::string> ours;
    for (const auto& column : table.columns)
      ours.insert(quoted(kind == "column" ? new_name(column.name) : old_name(column.name)));
    for (const auto& object : objects) {
      if (object.kind == kind && object.table_oid == table.oid && !ours.count(object.name))
        out.push_back(object);
    }
  }
  return out;
}

std::vector<MadeObject> shadows_lacking(const Graph& graph, const std::vector<MadeObject>& objects) {
  std::vector<MadeObject> out;
  const auto is_noted = [&](const std::string& kind, const std::string& name, std::uint32_t oid) {
    return std::any_of(objects.begin(), objects.end(), [&](const auto& object) {
      return object.kind == kind && object.table_oid == oid && (name.empty() || object.name == name);
    });
  };
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns) {
      const auto shadow = quoted(new_name(column.name));
      if (is_noted("table", "", table.oid) && !is_noted("column", shadow, table.oid))
        out.push_back({"column", shadow, table.oid});
    }
  }
  return out;
}

std::vector<std::string> removal_of(const std::vector<MadeObject>& objects,
                                    const std::map<std::uint32_t, TableNow>& tables,
                                    const std::string& going) {
  std::vector<std::string> out;
  for (const auto& object : objects) {
    const auto table = tables.find(object.table_oid);
    const bool is_there = table != tables.end();
    if (object.kind == "trigger" && is_there)
      out.push_back("DROP TRIGGER IF EXISTS " + object.name + " ON " + table->second.sql);
    if (object.kind == "constraint" && going == "column" && is_there)
      out.push_back("ALTER TABLE " + table->second.sql + " DROP CONSTRAINT IF EXISTS " + object.name);
    if (object.kind == "index" && is_there)
      out.push_back("DROP INDEX IF EXISTS " + table->second.schema_sql + "." + object.name);
    if (object.kind == going && is_there && !table->second.is_attached)
      out.push_back("ALTER TABLE " + table->second.sql + " DROP COLUMN IF EXISTS " + object.name);
    if (object.kind == "function") out.push_back("DROP FUNCTION IF EXISTS " + object.name + "()");
    if (object.kind == "sequence") out.push_back("DROP SEQUENCE IF EXISTS " + object.name);
  }
  return out;
}

}  // namespace pgsluice::steps::retype
