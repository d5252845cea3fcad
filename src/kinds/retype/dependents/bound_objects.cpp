#include "kinds/retype/dependents/bound_objects.hpp"

#include <algorithm>
#include <tuple>

#include "kinds/retype/dependents/bound_aliases.hpp"
#include "kinds/retype/dependents/bound_kinds.hpp"
#include "kinds/retype/dependents/bound_nodes.hpp"
#include "kinds/retype/graph/exact_settings.hpp"

namespace pgsluice::steps::retype {
namespace {

struct Reader {
  const char* kind;
  Scripts (*read)(pg::Session&, const Oids&);
};

constexpr Reader kReaders[] = {
    {"view", read_views},
    {"rule", read_rules},
    {"policy", read_policies},
    {"trigger", read_triggers},
    {"statistics", read_statistics},
    {"publication", read_publications},
    {"function", read_functions},
};

std::map<std::string, Scripts> read_scripts(pg::Session& session, const std::vector<BoundNode>& nodes) {
  std::map<std::string, Scripts> out;
  for (const auto& reader : kReaders) {
    Oids oids;
    for (const auto& node : nodes) {
      if (node.kind == reader.kind && node.refusal.empty()) oids.push_back(node.oid);
    }
    if (!oids.empty()) out[reader.kind] = reader.read(session, oids);
  }
  return out;
}

BoundObject assemble(const BoundNode& node, const Script& script, const std::vector<std::string>& tables) {
  if (!script.refusal.empty()) return refused_object(node.kind, node.name, script.refusal, script.hint);
  for (const auto& table : tables) {
    if (names_columns_by_position(script.create, table)) {
      return refused_object(node.kind, node.name,
                            "it gives the columns of " + table +
                                " other names in its FROM clause, by position, and would stay on the old one",
                            "write it without a list of column aliases");
    }
  }
  return {node.kind, node.name, script.drop, script.create, {}, {}, script.lock, script.locked};
}

/// The tables' names as the server writes them in definitions.
std::vector<std::string> written_names(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const auto rows = session.exec("SELECT DISTINCT oid::regclass::text FROM unnest($1::oid[]) oid ORDER BY 1",
                                 {oid_array(tables_of(columns))});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

std::vector<BoundObject> read_dependents(pg::Session& session, const std::vector<ColumnPlace>& columns) {
  const auto nodes = find_bound_nodes(session, columns);
  const auto scripts = read_scripts(session, nodes);
  const auto tables = written_names(session, columns);
  std::vector<BoundObject> out;
  for (const auto& node : nodes) {
    if (node.refusal.empty())
      out.push_back(assemble(node, scripts.at(node.kind).at(node.oid), tables));
    else
      out.push_back(refused_object(node.kind, node.name, node.refusal, node.hint));
  }
  return out;
}

std::vector<ColumnPlace> in_order(std::vector<ColumnPlace> columns) {
  const auto place = [](const ColumnPlace& c) { return std::tuple(c.table_sql, c.table_oid, c.attnum); };
  std::sort(columns.begin(), columns.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  columns.erase(std::unique(columns.begin(), columns.end(),
                            [&](const auto& a, const auto& b) { return place(a) == place(b); }),
                columns.end());
  return columns;
}

}  // namespace

std::vector<BoundObject> read_bound_objects(pg::Session& session, const std::vector<ColumnPlace>& places) {
  const auto columns = in_order(places);
  if (columns.empty()) return {};
  const ExactSettings settings(session);
  std::vector<BoundObject> out = read_table_refusals(session, columns);
  const auto append = [&](std::vector<BoundObject> objects) {
    std::move(objects.begin(), objects.end(), std::back_inserter(out));
  };
  append(read_index_roles(session, columns));
  append(read_column_properties(session, columns));
  append(read_dependents(session, columns));
  return out;
}

}  // namespace pgsluice::steps::retype
