#include "job/sql/table_effects.hpp"

#include <algorithm>
#include <array>

#include "job/sql/parse_tree.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

bool is_serial(const Tree& column) {
  static constexpr std::array<std::string_view, 6> kSerials = {"serial",    "serial4",     "serial8",
                                                               "bigserial", "smallserial", "serial2"};
  const Tree& names = child(child(column, "typeName"), "names");
  if (names.empty()) return false;
  return std::find(kSerials.begin(), kSerials.end(), string_node(names.back())) != kSerials.end();
}

void add_functions(const Tree& expression, std::vector<std::string>& functions) {
  visit_nodes(Tree::array({expression}), [&](std::string_view name, const Tree& node, bool) {
    if (name != "FuncCall") return;
    std::string function;
    for (const Tree& part : child(node, "funcname"))
      function += (function.empty() ? "" : ".") + written(string_node(part));
    functions.push_back(function);
  });
}

void added_constraint(const Tree& constraint, const std::string& column, TableEffects& effects) {
  const std::string type = text_of(constraint, "contype");
  const std::string where = column.empty() ? "" : " of the new column " + column;
  const bool reads = !is_set(constraint, "skip_validation");
  const bool has_index = !text_of(constraint, "indexname").empty();
  auto& work = effects.long_work;
  if (type == "CONSTR_CHECK" && reads)
    work.push_back("CHECK" + where + " reads the whole table; NOT VALID and a later VALIDATE does not");
  if (type == "CONSTR_FOREIGN" && reads && column.empty()) {
    work.push_back("FOREIGN KEY reads the whole table; NOT VALID and a later VALIDATE does not");
  }
  if ((type == "CONSTR_UNIQUE" || type == "CONSTR_PRIMARY") && !has_index) {
    work.push_back((type == "CONSTR_UNIQUE" ? std::string("UNIQUE") : std::string("PRIMARY KEY")) + where +
                   " builds its index under the lock; build it concurrently first and add it USING INDEX");
  }
  if (type == "CONSTR_EXCLUSION") work.push_back("EXCLUDE builds its index under the lock");
  if (type == "CONSTR_GENERATED") work.push_back("a generated column rewrites the table");
  if (type == "CONSTR_IDENTITY") work.push_back("an identity column rewrites the table");
  if (type == "CONSTR_DEFAULT") add_functions(child(constraint, "raw_expr"), effects.default_functions);
}

void alter_command(const Tree& command, TableEffects& effects) {
  const std::string type = text_of(command, "subtype");
  const std::string name = written(text_of(command, "name"));
  auto& work = effects.long_work;
  if (type == "AT_AlterColumnType")
    work.push_back("a new type for " + name +
                   " rewrites the table, unless the old values can stay as they are");
  if (type == "AT_SetNotNull")
    work.push_back("SET NOT NULL on " + name +
                   " reads the whole table, unless a valid CHECK proves that it is not NULL");
  if (type == "AT_SetTableSpace") work.push_back("SET TABLESPACE copies the table");
  if (type == "AT_SetLogged" || type == "AT_SetUnLogged")
    work.push_back("SET LOGGED or UNLOGGED rewrites the table");
  if (type == "AT_SetAccessMethod") work.push_back("SET ACCESS METHOD rewrites the table");
  if (type == "AT_ValidateConstraint")
    work.push_back("VALIDATE reads the whole table, but blocks no row changes");
  const Tree& def = child(command, "def");
  if (type == "AT_AddConstraint") added_constraint(child(def, "Constraint"), "", effects);
  if (type != "AT_AddColumn") return;
  const Tree& column = child(def, "ColumnDef");
  const std::string column_name = written(text_of(column, "colname"));
  if (is_serial(column)) work.push_back("the serial column " + column_name + " rewrites the table");
  for (const Tree& item : child(column, "constraints"))
    added_constraint(child(item, "Constraint"), column_name, effects);
}

void create_table(const Tree& tree, TableEffects& effects) {
  MadeTable made{table_of(child(tree, "relation")), {}, !child(tree, "inhRelations").empty()};
  for (const Tree& element : child(tree, "tableElts")) {
    const std::string name = text_of(child(element, "ColumnDef"), "colname");
    if (!name.empty()) made.columns.push_back(name);
    if (!child(element, "TableLikeClause").is_null()) made.has_more_columns = true;
  }
  effects.made = std::move(made);
}

void rename(const Tree& tree, TableEffects& effects) {
  const std::string what = text_of(tree, "renameType");
  const TableName table = table_of(child(tree, "relation"));
  if (what == "OBJECT_COLUMN") effects.columns_renamed.push_back(text_of(tree, "newname"));
  if (what != "OBJECT_TABLE") return;
  effects.made = MadeTable{{table.schema, text_of(tree, "newname")}, {}, true};
  effects.tables_dropped.push_back(table);
}

void drop(const Tree& tree, TableEffects& effects) {
  if (text_of(tree, "removeType") != "OBJECT_TABLE") return;
  for (const Tree& object : child(tree, "objects")) {
    TableName table;
    for (const Tree& part : child(child(object, "List"), "items")) table = {table.name, string_node(part)};
    effects.tables_dropped.push_back(table);
  }
}

/// A SELECT that calls a function may do anything; others only read.
bool calls_function(const Tree& tree) {
  bool calls = false;
  visit_nodes(Tree::array({tree}),
              [&](std::string_view name, const Tree&, bool) { calls = calls || name == "FuncCall"; });
  return calls;
}

void describe(const ParsedStatement& statement, TableEffects& effects) {
  const auto& node = statement.node;
  const Tree& tree = statement.tree;
  auto& work = effects.long_work;
  if (node == "AlterTableStmt") {
    for (const Tree& item : child(tree, "cmds")) alter_command(child(item, "AlterTableCmd"), effects);
  }
  if (node == "CreateStmt") create_table(tree, effects);
  if (node == "CreateTableAsStmt") {
    effects.made = MadeTable{table_of(child(child(tree, "into"), "rel")), {}, true};
    work.push_back("it runs its whole query in one transaction");
  }
  if (node == "RenameStmt") rename(tree, effects);
  if (node == "DropStmt") drop(tree, effects);
  if (node == "ClusterStmt") work.push_back("CLUSTER rewrites the table");
  if (node == "RefreshMatViewStmt") work.push_back("REFRESH runs the view's whole query");
  if (node == "ReindexStmt") work.push_back("REINDEX builds its indexes under the lock");
  if (node == "IndexStmt" && !is_set(tree, "concurrent")) {
    work.push_back(
        "row changes wait until the index is built; a step with kind = \"index\" does not block them");
  }
  if (node == "UpdateStmt" || node == "DeleteStmt" || node == "MergeStmt") {
    work.push_back(
        "all its rows stay locked until the step commits; a backfill step changes them in batches");
  }
  effects.is_opaque = node == "DoStmt" || node == "CallStmt" || node == "ExecuteStmt" ||
                      node == "CreateExtensionStmt" || (node == "SelectStmt" && calls_function(tree));
}

}  // namespace

Checked<TableEffects> table_effects(std::string_view sql) {
  auto parsed = parse_statements(sql);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  const auto& statements = std::get<0>(parsed);
  if (statements.size() != 1)
    return Refusal{"must be one statement, but contains " + std::to_string(statements.size()),
                   "write one statement"};
  TableEffects effects;
  describe(statements.front(), effects);
  return effects;
}

}  // namespace pgsluice::job
