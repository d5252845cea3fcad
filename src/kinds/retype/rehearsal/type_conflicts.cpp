#include "kinds/retype/rehearsal/type_conflicts.hpp"

#include <algorithm>
#include <set>

#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/dependents/bound_nodes.hpp"
#include "pg/failure.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kSetPath = "SELECT pg_catalog.set_config('search_path', $1, true)";

constexpr const char* kVisible = R"sql(
SELECT c.oid::text FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[]) AND pg_catalog.pg_table_is_visible(c.oid)
)sql";

constexpr const char* kView = R"sql(
SELECT v.relname, pg_catalog.rtrim(pg_catalog.pg_get_viewdef(v.oid), ';'),
       pg_catalog.quote_ident(v.relname) || ' ('
         || (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped) || ')',
       pg_catalog.pg_table_is_visible(v.oid)
FROM pg_catalog.pg_class v WHERE v.oid = $1::oid
)sql";

constexpr const char* kPolicy = R"sql(
SELECT p.polrelid::regclass, e.sql
FROM pg_catalog.pg_policy p
CROSS JOIN LATERAL (VALUES (pg_catalog.pg_get_expr(p.polqual, p.polrelid)),
                           (pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))) AS e(sql)
WHERE p.oid = $1::oid AND e.sql IS NOT NULL
)sql";

constexpr const char* kTrigger = R"sql(
SELECT t.tgrelid::regclass,
       substring(pg_catalog.pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE (?:FUNCTION|PROCEDURE) ')
FROM pg_catalog.pg_trigger t WHERE t.oid = $1::oid AND t.tgqual IS NOT NULL
)sql";

std::string first_line(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  const std::string prefix = "ERROR:  ";
  return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

/// Parses queries over the tables as they will be. Lives for one search.
class Trial {
 public:
  Trial(pg::Session& session, const Retype& retype) : session_(session) {
    std::string path;
    std::vector<std::string> oids;
    for (const auto& table : retype.graph.tables) {
      path += pg::Identifier(table.schema).sql() + ", ";
      oids.push_back(std::to_string(table.oid));
    }
    session_.exec(kSetPath, {path + (retype.search_path.empty() ? "pg_catalog" : retype.search_path)});
    std::set<std::string> visible;
    const auto rows = session_.exec(kVisible, {pg::to_array(oids)});
    for (std::size_t i = 0; i < rows.size(); ++i) visible.insert(rows.text(i, 0));
    for (const auto& table : retype.graph.tables) {
      if (visible.count(std::to_string(table.oid)))
        add(pg::Identifier(table.name).sql(), row_of(retype, table));
      else
        unsure_.push_back(table.name);
    }
  }

  void view(const BoundNode& node) {
    const auto row = session_.exec(kView, {std::to_string(node.oid)});
    if (row.empty()) return;
    const auto definition = row.text(0, 1);
    if (look(node, definition, "SELECT FROM (" + definition + ") AS pgsluice_view") && row.boolean(0, 3))
      add(row.text(0, 2), definition);
    else
      unsure_.push_back(row.text(0, 0));
  }

  /// `rows`: what follows the table in FROM, once for each alias of its rows.
  void conditions(const BoundNode& node, const char* query, const std::vector<std::string>& rows) {
    const auto found = session_.exec(query, {std::to_string(node.oid)});
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::string from;
      for (const auto& row : rows) from += (from.empty() ? "" : ", ") + found.text(i, 0) + row;
      look(node, found.text(i, 1), "SELECT FROM " + from + " WHERE " + found.text(i, 1));
    }
  }

  std::vector<TypeConflict> found() && { return std::move(found_); }

 private:
  static std::string row_of(const Retype& retype, const GraphTable& table) {
    std::string list;
    for (const auto& [name, type] : table.all_columns) {
      const bool is_changing =
          std::any_of(table.columns.begin(), table.columns.end(),
                      [&, n = &name](const GraphColumn& column) { return column.name == *n; });
      list += (list.empty() ? "" : ", ") + ("NULL::" + (is_changing ? retype.step.to : type)) + " AS " +
              pg::Identifier(name).sql();
    }
    return "SELECT " + list;
  }

  void add(const std::string& name, const std::string& query) {
    with_ += (with_.empty() ? "WITH " : ", ") + name + " AS (" + query + ")";
  }

  /// True if the server accepts the query, which holds `definition`. PREPARE only parses it, without planning
  /// or computing anything.
  bool look(const BoundNode& node, const std::string& definition, const std::string& query) {
    for (const auto& name : unsure_) {
      if (definition.find(name) != std::string::npos) return false;
    }
    session_.exec("SAVEPOINT pgsluice_trial");
    try {
      session_.exec("PREPARE pgsluice_trial AS " + with_ + " " + query);
      session_.exec("DEALLOCATE pgsluice_trial");
      session_.exec("RELEASE SAVEPOINT pgsluice_trial");
      return true;
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;
      session_.exec("ROLLBACK TO SAVEPOINT pgsluice_trial");
      if (pg::is_type_misfit(f.sqlstate())) found_.push_back({node.name, first_line(f.what())});
      return false;
    }
  }

  pg::Session& session_;
  std::string with_;
  std::vector<std::string> unsure_;  // names that would show the columns as they are now
  std::vector<TypeConflict> found_;
};

std::vector<BoundNode> nodes_of(pg::Session& session, const Graph& graph) {
  std::vector<ColumnPlace> places;
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns)
      places.push_back({table.oid, table.sql(), column.attnum, column.name});
  }
  session.exec(kSetPath, {""});
  auto nodes = find_bound_nodes(session, places);
  std::reverse(nodes.begin(), nodes.end());  // a view before those that depend on it
  std::erase_if(nodes, [](const BoundNode& node) { return !node.refusal.empty(); });
  return nodes;
}

}  // namespace

std::vector<TypeConflict> find_type_conflicts(pg::Session& session, const Retype& retype) {
  const auto nodes = nodes_of(session, retype.graph);
  Trial trial(session, retype);
  for (const auto& node : nodes) {
    if (node.kind == "view") trial.view(node);
  }
  for (const auto& node : nodes) {
    if (node.kind == "policy") trial.conditions(node, kPolicy, {""});
    if (node.kind == "trigger") trial.conditions(node, kTrigger, {" AS old", " AS new"});
  }
  return std::move(trial).found();
}

}  // namespace pgsluice::steps::retype
