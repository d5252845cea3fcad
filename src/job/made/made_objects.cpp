#include "job/made/made_objects.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "job/sql/parse_tree.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

/// Part of a text: [from, to) in bytes; `to` is 0 if it was not found.
struct Place {
  std::size_t from = 0;
  std::size_t to = 0;
};

void skip_blanks(std::string_view& rest) {
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    if (rest.starts_with("--")) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
    } else if (rest.starts_with("/*")) {
      const auto end = rest.find("*/", 2);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    } else {
      return;
    }
  }
}

/// Where the name at `from` stands, with its schema and the last part as given; nothing for a way of writing
/// that is not supported here (a comment within, U&"…").
Place place_of_name(std::string_view sql, std::size_t from, const std::string& last) {
  std::string_view rest = sql.substr(std::min(from, sql.size()));
  Place place{from, 0};
  for (;;) {
    const std::string_view before = rest;
    const auto taken = take_identifier(rest);
    const auto* name = std::get_if<std::string>(&taken);
    if (name == nullptr) return {};
    if (rest.starts_with(".")) {
      rest.remove_prefix(1);
      skip_blanks(rest);
      continue;
    }
    if (*name != last) return {};
    const auto word = before.substr(0, before.size() - rest.size());
    place.to = sql.size() - before.size() + word.find_last_not_of(kBlanks) + 1;
    return place;
  }
}

std::string in_pg_temp(const std::string& name) {
  std::string quoted;
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return "pg_temp.\"" + quoted + "\"";
}

std::optional<std::size_t> location_of(const Tree& range_var) {
  const Tree& location = child(range_var, "location");
  if (!location.is_number()) return std::nullopt;
  return location.get<std::size_t>();
}

/// Collects which names move to pg_temp, and writes the text that has moved them.
class Moved {
 public:
  explicit Moved(std::string_view sql) : sql_(sql) {}

  void add(std::optional<std::size_t> location, const std::string& name) {
    const auto place = location ? place_of_name(sql_, *location, name) : Place{};
    is_whole_ = is_whole_ && place.to != 0;
    places_.emplace(place.from, std::pair(place, name));
  }

  /// Empty if a name could not be found.
  std::string text() const {
    if (!is_whole_) return {};
    std::string text(sql_);
    for (auto at = places_.rbegin(); at != places_.rend(); ++at) {
      const auto& [place, name] = at->second;
      text.replace(place.from, place.to - place.from, in_pg_temp(name));
    }
    return text;
  }

 private:
  std::string_view sql_;
  std::map<std::size_t, std::pair<Place, std::string>> places_;
  bool is_whole_ = true;
};

void move_references(const Tree& tree, MadeObjects& made, Moved& moved) {
  visit_nodes(tree, [&](std::string_view node, const Tree& constraint, bool) {
    const Tree& target = child(constraint, "pktable");
    if (node != "Constraint" || target.is_null()) return;
    const auto table = table_of(target);
    moved.add(location_of(target), table.name);
    const bool is_itself = table.name == made.name.name;
    if (!is_itself &&
        std::find(made.references.begin(), made.references.end(), table) == made.references.end())
      made.references.push_back(table);
  });
}

std::optional<MadeObjects> whole(MadeObjects made, const Moved& moved) {
  made.on_probe = moved.text();
  if (made.on_probe.empty()) return std::nullopt;
  return made;
}

std::optional<MadeObjects> added_parts(const Tree& tree, std::string_view sql) {
  if (text_of(tree, "objtype") != "OBJECT_TABLE") return std::nullopt;
  MadeObjects made{MadeObjects::Shape::kParts, table_of(child(tree, "relation")), {}, {}, false, {}, {}};
  for (const Tree& item : child(tree, "cmds")) {
    const Tree& command = child(item, "AlterTableCmd");
    const std::string type = text_of(command, "subtype");
    if (is_set(command, "missing_ok") || (type != "AT_AddColumn" && type != "AT_AddConstraint"))
      return std::nullopt;
    if (type == "AT_AddColumn")
      made.columns.push_back(text_of(child(child(command, "def"), "ColumnDef"), "colname"));
  }
  visit_nodes(tree, [&](std::string_view node, const Tree& constraint, bool) {
    if (node != "Constraint") return;
    const auto name = text_of(constraint, "conname");
    if (!name.empty()) made.constraints.push_back(name);
    made.has_primary_key = made.has_primary_key || text_of(constraint, "contype") == "CONSTR_PRIMARY";
  });
  Moved moved(sql);
  moved.add(location_of(child(tree, "relation")), made.name.name);
  move_references(tree, made, moved);
  return whole(std::move(made), moved);
}

std::optional<MadeObjects> created_table(const Tree& tree, std::string_view sql) {
  const Tree& relation = child(tree, "relation");
  const bool is_plain = text_of(relation, "relpersistence") == "p" && child(tree, "inhRelations").empty() &&
                        child(tree, "partbound").is_null() && child(tree, "ofTypename").is_null();
  if (!is_plain || is_set(tree, "if_not_exists")) return std::nullopt;
  MadeObjects made{MadeObjects::Shape::kTable, table_of(relation), {}, {}, false, {}, {}};
  Moved moved(sql);
  moved.add(location_of(relation), made.name.name);
  move_references(tree, made, moved);
  return whole(std::move(made), moved);
}

/// The name has no place in the tree: it stands behind CREATE FUNCTION or CREATE PROCEDURE.
std::optional<std::size_t> place_of_function(std::string_view sql) {
  std::string_view rest = sql;
  for (int words = 0; words < 2; ++words) {
    skip_blanks(rest);
    const auto word = take_identifier(rest);
    if (std::get_if<std::string>(&word) == nullptr) return std::nullopt;
  }
  skip_blanks(rest);
  return sql.size() - rest.size();
}

std::optional<MadeObjects> created_function(const Tree& tree, std::string_view sql) {
  const Tree& parts = child(tree, "funcname");
  if (is_set(tree, "replace") || parts.empty() || parts.size() > 2) return std::nullopt;
  MadeObjects made{MadeObjects::Shape::kFunction, {}, {}, {}, false, {}, {}};
  if (parts.size() == 2) made.name.schema = string_node(parts.front());
  made.name.name = string_node(parts.back());
  Moved moved(sql);
  moved.add(place_of_function(sql), made.name.name);
  return whole(std::move(made), moved);
}

std::optional<ParsedStatement> only_statement(std::string_view sql) {
  auto parsed = parse_statements(sql);
  auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed);
  if (statements == nullptr || statements->size() != 1) return std::nullopt;
  return std::move(statements->front());
}

/// ALTER TABLE commands that take nothing away that a later statement could make.
bool is_addition(const Tree& command) {
  static constexpr std::array<std::string_view, 5> kAdditions = {
      "AT_AddColumn", "AT_AddConstraint", "AT_ColumnDefault", "AT_SetNotNull", "AT_ValidateConstraint"};
  const auto type = text_of(command, "subtype");
  return std::find(kAdditions.begin(), kAdditions.end(), type) != kAdditions.end();
}

}  // namespace

std::optional<MadeObjects> made_objects(std::string_view sql) {
  const auto statement = only_statement(sql);
  if (!statement) return std::nullopt;
  const Tree& tree = statement->tree;
  if (statement->node == "AlterTableStmt") return added_parts(tree, sql);
  if (statement->node == "CreateStmt") return created_table(tree, sql);
  if (statement->node == "CreateFunctionStmt") return created_function(tree, sql);
  const bool is_index =
      statement->node == "IndexStmt" && !is_set(tree, "if_not_exists") && !text_of(tree, "idxname").empty();
  if (!is_index) return std::nullopt;
  return MadeObjects{MadeObjects::Shape::kIndex, table_of(child(tree, "relation")), {}, {}, false, {}, {}};
}

std::string alter_on_probe(std::string_view sql, const TableName& table) {
  const auto statement = only_statement(sql);
  if (!statement || statement->node != "AlterTableStmt") return {};
  const Tree& relation = child(statement->tree, "relation");
  if (table_of(relation) != table) return {};
  MadeObjects made{MadeObjects::Shape::kParts, table, {}, {}, false, {}, {}};
  Moved moved(sql);
  moved.add(location_of(relation), table.name);
  move_references(statement->tree, made, moved);
  return moved.text();
}

bool may_remove(std::string_view sql) {
  static constexpr std::array<std::string_view, 10> kAdditions = {
      "CreateStmt",    "IndexStmt", "CreateFunctionStmt", "CommentStmt",    "GrantStmt",
      "CreateSeqStmt", "ViewStmt",  "CreateTrigStmt",     "CreateEnumStmt", "CreateSchemaStmt"};
  const auto statement = only_statement(sql);
  if (!statement) return true;
  if (statement->node == "AlterTableStmt") {
    const Tree& commands = child(statement->tree, "cmds");
    return !std::all_of(commands.begin(), commands.end(),
                        [](const Tree& item) { return is_addition(child(item, "AlterTableCmd")); });
  }
  return std::find(kAdditions.begin(), kAdditions.end(), statement->node) == kAdditions.end();
}

}  // namespace pgsluice::job
