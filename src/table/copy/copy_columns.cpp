#include "table/copy/copy_columns.hpp"

#include <algorithm>
#include <set>
#include <variant>

#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

const ColumnFacts* find(const std::vector<ColumnFacts>& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const ColumnFacts& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

const Assignment* assigned(const CopyStep& step, const std::string& name) {
  const auto found = std::find_if(step.columns.begin(), step.columns.end(),
                                  [&](const Assignment& a) { return a.column == name; });
  return found == step.columns.end() ? nullptr : &*found;
}

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

void refuse_unfit(const CopyStep& step, const std::vector<ColumnFacts>& target) {
  for (const auto& assignment : step.columns) {
    const auto* column = find(target, assignment.column);
    if (column == nullptr)
      throw Error(ExitCode::kRefused,
                  "table " + job::written(step.to) + " has no column " + quoted(assignment.column) +
                      ", which `columns` gives a value",
                  "add it in a sql step before this one, or check its spelling in `columns`");
    if (column->is_generated)
      throw Error(ExitCode::kRefused,
                  "column " + quoted(column->name) + " of table " + job::written(step.to) + " is generated",
                  "PostgreSQL computes it: leave it out of `columns`");
  }
}

/// By name, in any part of any expression.
std::set<std::string> columns_named(const CopyStep& step) {
  std::set<std::string> names;
  for (const auto& assignment : step.columns) {
    auto checked = job::check_expression(assignment.expression);
    if (const auto* expression = std::get_if<job::Expression>(&checked)) {
      for (const auto& parts : expression->columns) names.insert(parts.back());
    }
  }
  return names;
}

std::vector<std::string> left_out(const CopyStep& step, const std::vector<ColumnFacts>& source,
                                  const std::vector<ColumnFacts>& target) {
  const auto named = columns_named(step);
  std::vector<std::string> names;
  for (const auto& column : source) {
    const auto* same = find(target, column.name);
    const bool is_copied = same != nullptr && !same->is_generated && assigned(step, column.name) == nullptr;
    const bool is_computed = same != nullptr && same->is_generated;
    if (!is_copied && !is_computed && !named.contains(column.name)) names.push_back(column.name);
  }
  return names;
}

/// A type that the source knows by the same name.
std::string known_type(const ColumnFacts& column) {
  return column.is_builtin ? column.type : std::string();
}

[[noreturn]] void refuse_missing(const CopyStep& step, const ColumnFacts& column) {
  throw Error(ExitCode::kRefused,
              "column " + quoted(column.name) + " of table " + job::written(step.to) +
                  " is NOT NULL without a default, and table " + job::written(step.from) +
                  " has no column of that name",
              "say where its values come from: columns = { " + job::written(column.name) + " = \"…\" }");
}

}  // namespace

MatchedColumns match_columns(const CopyStep& step, const std::vector<ColumnFacts>& source,
                             const std::vector<ColumnFacts>& target) {
  refuse_unfit(step, target);
  MatchedColumns matched;
  for (const auto& column : target) {
    if (column.is_generated) continue;
    const auto* same = find(source, column.name);
    if (const auto* assignment = assigned(step, column.name)) {
      matched.columns.push_back({column.name, assignment->expression, false, known_type(column)});
    } else if (same != nullptr) {
      const bool is_same = same->type == column.type;
      matched.columns.push_back(
          {column.name, quoted(column.name), true, is_same ? std::string() : known_type(column)});
      if (!is_same)
        matched.other_types.push_back(quoted(column.name) + ": " + same->type + ", at the target " +
                                      column.type);
    } else if (column.is_not_null && !column.has_default) {
      refuse_missing(step, column);
    } else {
      matched.to_defaults.push_back(column.name);
    }
  }
  if (matched.columns.empty())
    throw Error(
        ExitCode::kRefused,
        "tables " + job::written(step.from) + " and " + job::written(step.to) + " have no column in common",
        "say where values come from: columns = { column = \"…\" }");
  matched.left_out = left_out(step, source, target);
  return matched;
}

std::vector<CopiedSequence> sequences_of(const std::vector<CopiedColumn>& columns,
                                         const std::vector<ColumnFacts>& target) {
  std::vector<CopiedSequence> sequences;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto* column = find(target, columns[i].name);
    if (column == nullptr || column->sequence_sql.empty()) continue;
    if (!column->may_set_sequence)
      throw Error(ExitCode::kPrivileges,
                  "sequence " + column->sequence_sql + ", which fills column " + quoted(column->name) +
                      ", cannot be set by this role",
                  "GRANT SELECT, UPDATE ON SEQUENCE " + column->sequence_sql +
                      " to it: after the copy the sequence must give no value that was copied");
    sequences.push_back({column->sequence_sql, i});
  }
  return sequences;
}

}  // namespace pgsluice::engine
