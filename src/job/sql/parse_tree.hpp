#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// A node of libpg_query's parse tree. Not base::Json, which copies its subtrees while it is being built.
using Tree = nlohmann::json;

/// One statement of a text: its text, the kind of its node ("AlterTableStmt") and the node.
struct ParsedStatement {
  std::string text;
  std::string node;
  Tree tree;
};

/// Parses SQL with PostgreSQL's own grammar (libpg_query). Without a statement the list is empty.
/// Thread-safe.
Checked<std::vector<ParsedStatement>> parse_statements(std::string_view sql);

/// The value of `SELECT value` with nothing else to it; nullptr if the statements are anything else. Points
/// into them.
const Tree* only_value(const std::vector<ParsedStatement>& statements);

/// For reading a tree, in which libpg_query leaves out whatever is empty, false or zero.
const Tree& child(const Tree& tree, std::string_view key);
std::string text_of(const Tree& tree, std::string_view key);
bool is_set(const Tree& tree, std::string_view key);

/// The text of a {"String": …} node; empty for any other.
std::string string_node(const Tree& node);

/// A RangeVar's table.
TableName table_of(const Tree& range_var);

/// Calls `visit(node name, node, in_query)` for every node below `tree`, outer before inner;
/// `in_query` is true inside a subquery. Does not recurse, so that depth is bounded by memory and not by the
/// stack.
using NodeVisitor = std::function<void(std::string_view, const Tree&, bool)>;
void visit_nodes(const Tree& tree, const NodeVisitor& visit);

}  // namespace pgsluice::job
