#include "table/backfill_facts.hpp"

#include <algorithm>

#include "job/sql/expression.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

void add_functions(const std::string& expression, std::vector<std::string>& functions) {
  if (expression.empty()) return;
  const auto checked = job::check_expression(expression);
  const auto* fine = std::get_if<job::Expression>(&checked);
  if (fine) functions.insert(functions.end(), fine->functions.begin(), fine->functions.end());
}

}  // namespace

std::vector<std::string> changed_columns(const BackfillStep& step) {
  std::vector<std::string> columns;
  for (const auto& assignment : step.set) columns.push_back(assignment.column);
  return columns;
}

std::vector<std::string> volatile_functions_of(pg::Session& session, const BackfillStep& step) {
  std::vector<std::string> functions;
  for (const auto& assignment : step.set) add_functions(assignment.expression, functions);
  add_functions(step.where, functions);
  return steps::volatile_functions(session, functions);
}

std::vector<std::string> indexes_changed(const pg::Storage& storage, const BackfillStep& step) {
  const auto changed = changed_columns(step);
  std::vector<std::string> out;
  for (const auto& index : storage.indexes) {
    const bool holds_one = std::any_of(index.columns.begin(), index.columns.end(), [&](const auto& column) {
      return std::find(changed.begin(), changed.end(), column) != changed.end();
    });
    if (holds_one) out.push_back(index.name);
  }
  return out;
}

std::string key_reason(const pg::Table& table, const pg::UniqueKey& key, const BackfillStep& step) {
  const std::string name = "\"" + key.index_name + "\"";
  if (!step.key.empty()) return "the job names this key; " + name + " is its index";
  std::string reason =
      key.is_primary ? "primary key " + name : "unique index " + name + ", the narrowest suitable one";
  for (const auto& other : table.keys) {
    if (!other.unfit_reason.empty()) reason += "; not \"" + other.index_name + "\": " + other.unfit_reason;
  }
  return reason;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += "\"" + names[i] + "\"";
  }
  return out;
}

}  // namespace pgsluice::engine
