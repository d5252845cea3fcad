#include <algorithm>
#include <map>
#include <set>

#include "kinds/retype/graph/exact_settings.hpp"
#include "kinds/retype/graph/graph.hpp"
#include "kinds/retype/graph/graph_rows.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kRoot = R"sql(
SELECT c.oid, c.relkind,
       CASE WHEN $2 <> '' THEN ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute a
                                     WHERE a.attrelid = c.oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped)
            ELSE coalesce((SELECT ARRAY(SELECT unnest(i.indkey::int2[])) FROM pg_catalog.pg_index i
                           WHERE i.indrelid = c.oid AND i.indisprimary),
                          '{}') END::text[]
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kV5Function = R"sql(
SELECT coalesce((SELECT pg_catalog.quote_ident(n.nspname) || '.uuid_generate_v5'
                 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                 WHERE p.oid = pg_catalog.to_regprocedure('uuid_generate_v5(uuid, text)')), '')
)sql";

struct Roots {
  std::vector<std::string> tables;  // oids
  std::vector<std::string> columns;
};

void add_root(pg::Session& session, const RetypeStep& step, const TableName& table, Roots& roots) {
  const auto sql = pg::Identifier(table.schema, table.name).sql();
  const auto rows = session.exec(kRoot, {sql, step.column});
  if (rows.empty())
    throw Error(ExitCode::kRefused, "there is no table " + sql, "check the name and the search_path");
  const auto kind = rows.text(0, 1);
  if (kind != "r" && kind != "p") throw Error(ExitCode::kRefused, sql + " is not a table", "name a table");
  const auto columns = pg::from_array(rows.text(0, 2));
  if (columns.empty() && !step.column.empty()) {
    throw Error(ExitCode::kRefused, "table " + sql + " has no column \"" + step.column + "\"",
                "check `column`");
  }
  if (columns.size() != 1) {
    throw Error(ExitCode::kRefused,
                columns.empty() ? "table " + sql + " has no primary key"
                                : "the primary key of table " + sql + " has " +
                                      std::to_string(columns.size()) + " columns",
                "name the column that changes: table = \"…\", column = \"…\"");
  }
  roots.tables.push_back(rows.text(0, 0));
  roots.columns.push_back(columns.front());
}

/// What a retype that has begun added over the old columns is not part of what it has to carry over.
void leave_out_ours(GraphTable& table) {
  std::set<std::string> ours;
  for (const auto& index : table.indexes) {
    if (index.constraint_type == "p") ours.insert(old_name(index.name));
  }
  for (const auto& column : table.columns) {
    ours.insert(map_check(column.name));
    ours.insert(filled_check(column.name));
  }
  const auto is_ours = [&](const auto& object) { return ours.count(object.name) > 0; };
  std::erase_if(table.indexes, is_ours);
  std::erase_if(table.checks, is_ours);
}

/// How values get from the old type to the new one and back, read once for each type: a graph's columns have
/// few of them. After the cut-over the old column tells what the old type was.
class ConversionReader {
 public:
  ConversionReader(pg::Session& session, const TypeFacts& to)
      : session_(session), to_(to), text_(read_type(session, "text")) {}

  void read(GraphTable& table) {
    for (auto& column : table.columns) {
      const auto old = table.all_columns.find(old_name(column.name));
      column.old_type_sql = old == table.all_columns.end() ? column.type : old->second;
      const auto known = known_.find(column.old_type_sql);
      const auto& of_type = known != known_.end() ? known->second : learn(column.old_type_sql);
      column.old_type = of_type.type;
      column.forward = of_type.forward;
      column.backward = of_type.backward;
      column.as_text = of_type.as_text;
    }
  }

 private:
  struct OfType {
    TypeFacts type;
    Conversion forward, backward, as_text;
  };

  const OfType& learn(const std::string& type) {
    auto& out = known_[type];
    out.type = read_type(session_, type);
    out.forward = read_conversion(session_, out.type, to_);
    out.backward = read_conversion(session_, to_, out.type);
    out.as_text = read_conversion(session_, out.type, text_);
    return out;
  }

  pg::Session& session_;
  const TypeFacts& to_;
  TypeFacts text_;
  std::map<std::string, OfType> known_;
};

/// Finds what every referring column refers to, and puts every table after its parents.
class Arranger {
 public:
  explicit Arranger(Graph& graph) : graph_(graph) {}

  void arrange() {
    sort_tables();
    for (std::size_t i = 0; i < graph_.foreign_keys.size(); ++i) connect(static_cast<int>(i));
    for (auto& table : graph_.tables) {
      for (auto& column : table.columns) column.level = level_of(column);
    }
  }

 private:
  void connect(int number) {
    const auto& key = graph_.foreign_keys[static_cast<std::size_t>(number)];
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      auto* own = find(key.table, key.columns[i]);
      const auto* target = find(key.ref_table, key.ref_columns[i]);
      if (!own && !target) continue;  // a column of a composite key that does not change
      if (own && !target) {
        graph_.obstacles.push_back("foreign key \"" + key.name + "\" links column \"" + key.columns[i] +
                                   "\" of table " + table(key.table).sql() + " to column \"" +
                                   key.ref_columns[i] + "\" of table " + table(key.ref_table).sql() +
                                   ", which does not change: name that column instead");
        continue;
      }
      const Place place{key.ref_table, static_cast<int>(target - table(key.ref_table).columns.data())};
      if (own->refers_to || leads_to(place, own)) continue;
      own->refers_to = place;
      own->through = number;
    }
  }

  /// A cycle of references has no root: the reference that would close it is left out.
  bool leads_to(Place from, const GraphColumn* goal) const {
    for (std::optional<Place> at = from; at; at = graph_.at(*at).refers_to) {
      if (&graph_.at(*at) == goal) return true;
    }
    return false;
  }

  int level_of(const GraphColumn& column) const {
    int level = 0;
    for (auto at = column.refers_to; at; at = graph_.at(*at).refers_to) ++level;
    return level;
  }

  void sort_tables() {
    const auto n = graph_.tables.size();
    std::vector<int> depth(n, 0);
    for (std::size_t turn = 0; turn < n; ++turn) {  // a cycle stops at n turns
      for (const auto& key : graph_.foreign_keys) {
        if (key.table == key.ref_table) continue;
        auto& own = depth[static_cast<std::size_t>(key.table)];
        own =
            std::max(own, std::min(depth[static_cast<std::size_t>(key.ref_table)] + 1, static_cast<int>(n)));
      }
    }
    std::vector<int> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<int>(i);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return depth[static_cast<std::size_t>(a)] < depth[static_cast<std::size_t>(b)];
    });
    std::vector<GraphTable> sorted;
    std::vector<int> place(n);
    for (std::size_t i = 0; i < n; ++i) {
      place[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
      sorted.push_back(std::move(graph_.tables[static_cast<std::size_t>(order[i])]));
    }
    graph_.tables = std::move(sorted);
    for (auto& key : graph_.foreign_keys) {
      key.table = place[static_cast<std::size_t>(key.table)];
      key.ref_table = place[static_cast<std::size_t>(key.ref_table)];
    }
  }

  GraphTable& table(int index) { return graph_.tables[static_cast<std::size_t>(index)]; }
  GraphColumn* find(int index, const std::string& name) {
    for (auto& column : table(index).columns) {
      if (column.name == name) return &column;
    }
    return nullptr;
  }

  Graph& graph_;
};

}  // namespace

std::string GraphPartition::sql() const {
  return pg::Identifier(schema, name).sql();
}

std::string GraphTable::sql() const {
  return pg::Identifier(schema, name).sql();
}

Graph read_graph(pg::Session& session, const RetypeStep& step) {
  Roots roots;
  for (const auto& table : step.tables) add_root(session, step, table, roots);
  Graph graph;
  graph.to = read_type(session, step.to);  // under the operator's search_path
  graph.v5_function = session.exec(kV5Function, pg::Params{}).text(0, 0);
  const ExactSettings settings(session);
  graph.to.sql = type_sql(session, graph.to.oid);
  graph.to.base_sql = type_sql(session, graph.to.base_oid);
  graph.tables = read_tables(session, roots.tables, roots.columns);
  ConversionReader conversions(session, graph.to);
  for (auto& table : graph.tables) {
    read_partitions(session, table, graph.obstacles);
    conversions.read(table);
    table.indexes = read_indexes(session, table, graph.to);
    table.checks = read_checks(session, table);
    leave_out_ours(table);
    read_uncarried(session, table, graph.obstacles);
    read_strays(session, table, graph.obstacles);
  }
  graph.foreign_keys = read_foreign_keys(session, graph);
  Arranger(graph).arrange();
  return graph;
}

}  // namespace pgsluice::steps::retype
