#include "kinds/constraint/read_constraint.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "job/read/sql_names.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

constexpr std::array kKeys = {"not_null", "check", "foreign_key", "unique", "primary_key"};
constexpr const char* kOneOf =
    "write one of not_null = \"column\", check = \"expression\", foreign_key = { columns = […], references = "
    "\"table (column)\" }, unique = […], primary_key = […]";

constexpr const char* kWriteColumns = "write a column or a list of them";

using Columns = std::vector<std::string>;

std::optional<TableName> read_table_name(Section& section, const char* key, const std::string& text) {
  auto table = parse_table_name(text);
  if (auto* name = std::get_if<TableName>(&table)) return std::move(*name);
  section.refuse(key, std::get<Refusal>(table));
  return std::nullopt;
}

std::string read_check(Section& section) {
  const auto text = section.text("check");
  if (!text) return {};
  auto checked = check_expression(*text);
  if (const auto* refusal = std::get_if<Refusal>(&checked)) {
    section.refuse("check", *refusal);
    return {};
  }
  auto& expression = std::get<Expression>(checked);
  if (expression.has_query)
    section.refuse("check", {"contains a subquery", "a CHECK may read its own row only"});
  return std::move(expression.text);
}

std::string read_action(Section& section, const char* key) {
  const auto text = section.text(key);
  if (!text) return {};
  const std::vector<std::string> actions{"cascade", "restrict", "set null", "set default", "no action"};
  if (std::find(actions.begin(), actions.end(), *text) == actions.end())
    section.refuse(key, {"\"" + *text + "\" is not known", suggestion(*text, actions, "actions")});
  return *text == "no action" ? "" : *text;
}

/// "schema.table (a, b)"
void read_references(Section& section, ConstraintStep& step) {
  constexpr const char* kHint = "write references = \"table (column)\"";
  section.require("references", kHint);
  const auto text = section.text("references");
  if (!text) return;
  const auto open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return section.refuse("references", {"names no column in parentheses", kHint});
  if (auto table = read_table_name(section, "references", text->substr(0, open))) step.references = *table;
  std::string_view rest = std::string_view(*text).substr(open + 1, close - open - 1);
  while (!rest.empty()) {
    auto column = take_identifier(rest);
    if (const auto* refusal = std::get_if<Refusal>(&column)) return section.refuse("references", *refusal);
    step.referenced_columns.push_back(std::get<std::string>(std::move(column)));
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ',')) rest.remove_prefix(1);
  }
}

void read_foreign_key(Section& section, ConstraintStep& step) {
  auto key = section.section("foreign_key");
  if (!key) return;
  key->require("columns", "write columns = [\"user_id\"]");
  step.columns = read_columns(*key, "columns", kWriteColumns);
  read_references(*key, step);
  step.on_delete = read_action(*key, "on_delete");
  step.on_update = read_action(*key, "on_update");
  if (!step.columns.empty() && !step.referenced_columns.empty() &&
      step.columns.size() != step.referenced_columns.size())
    key->refuse("references", {"names " + std::to_string(step.referenced_columns.size()) + " columns for " +
                                   std::to_string(step.columns.size()),
                               "name as many as columns has"});
  key->finish();
}

void read_what(Section& section, ConstraintStep& step) {
  std::vector<std::string> given;
  for (const char* key : kKeys) {
    if (section.has(key)) given.emplace_back(key);
  }
  if (given.empty()) return section.refuse_at(section.header(), "constraint", {"says nothing", kOneOf});
  if (given.size() > 1) section.refuse(given[1], {"stands beside " + given[0], "write one of them"});
  const auto& key = given.front();
  if (key == "not_null") {
    step.constraint = Constraint::kNotNull;
    step.columns = read_columns(section, "not_null", kWriteColumns);
    if (step.columns.size() > 1)
      section.refuse("not_null", {"names several columns", "write one step for each column"});
  } else if (key == "check") {
    step.check = read_check(section);
  } else if (key == "foreign_key") {
    step.constraint = Constraint::kForeignKey;
    read_foreign_key(section, step);
  } else {
    step.constraint = key == "unique" ? Constraint::kUnique : Constraint::kPrimaryKey;
    step.columns = read_columns(section, key.c_str(), kWriteColumns);
  }
  for (const char* other : kKeys) section.node(other);  // known, if only as too many
}

/// As PostgreSQL would name it, but for a CHECK, which is named after its step.
std::string default_name(const ConstraintStep& step) {
  std::string columns;
  for (const auto& column : step.columns) columns += "_" + column;
  switch (step.constraint) {
    case Constraint::kNotNull:
      return step.table.name + columns + "_not_null";
    case Constraint::kForeignKey:
      return step.table.name + columns + "_fkey";
    case Constraint::kUnique:
      return step.table.name + columns + "_key";
    case Constraint::kPrimaryKey:
      return step.table.name + "_pkey";
    case Constraint::kCheck:
      break;
  }
  auto of_step = step.name;
  std::replace(of_step.begin(), of_step.end(), '-', '_');
  return step.table.name + "_" + of_step + "_check";
}

void read_constraint_name(Section& section, ConstraintStep& step) {
  const auto text = section.text("constraint_name");
  step.constraint_name = default_name(step);
  if (text) {
    auto name = parse_column_name(*text);
    if (const auto* refusal = std::get_if<Refusal>(&name)) return section.refuse("constraint_name", *refusal);
    step.constraint_name = std::get<std::string>(std::move(name));
  }
  if (step.constraint_name.size() <= kConstraintNameBytesMost) return;
  section.refuse_at(text ? section.where("constraint_name") : section.header(), "constraint_name",
                    {"\"" + step.constraint_name + "\" is longer than 63 bytes",
                     "give it a shorter one: constraint_name = \"…\""});
}

}  // namespace

ConstraintStep read_constraint(job::Section& section, std::string name) {
  ConstraintStep step;
  step.name = std::move(name);
  section.require("table", "write table = \"public.users\"");
  if (auto table = read_table(section, "table")) step.table = std::move(*table);
  read_what(section, step);
  read_constraint_name(section, step);
  return step;
}

}  // namespace pgsluice::engine
