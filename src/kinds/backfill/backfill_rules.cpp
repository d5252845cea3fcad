#include "kinds/backfill/backfill_rules.hpp"

#include <algorithm>
#include <utility>

#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::engine {

using namespace job;

std::optional<Refusal> add_key_column(BackfillStep& step, std::string_view column) {
  auto name = parse_column_name(column);
  if (auto* refusal = std::get_if<Refusal>(&name)) return std::move(*refusal);
  auto& key = step.key;
  if (std::find(key.begin(), key.end(), std::get<std::string>(name)) != key.end()) {
    return Refusal{"names column " + written(std::get<std::string>(name)) + " twice",
                   "name each key column once"};
  }
  key.push_back(std::get<std::string>(std::move(name)));
  return std::nullopt;
}

std::optional<Refusal> add_assignment(BackfillStep& step, std::string_view column,
                                      std::string_view expression) {
  auto name = parse_column_name(column);
  if (auto* refusal = std::get_if<Refusal>(&name)) return std::move(*refusal);
  auto value = check_expression(expression);
  if (auto* refusal = std::get_if<Refusal>(&value)) return std::move(*refusal);
  for (const Assignment& assignment : step.set) {
    if (assignment.column != std::get<std::string>(name)) continue;
    return Refusal{"sets column " + written(assignment.column) + " twice", "set each column once"};
  }
  step.set.push_back({std::get<std::string>(std::move(name)), std::get<Expression>(std::move(value)).text});
  return std::nullopt;
}

std::optional<Refusal> set_where(BackfillStep& step, std::string_view expression) {
  auto condition = check_expression(expression);
  if (auto* refusal = std::get_if<Refusal>(&condition)) {
    if (refusal->message == "is empty") refusal->hint = "leave where out to change every row";
    return std::move(*refusal);
  }
  step.where = std::get<Expression>(std::move(condition)).text;
  return std::nullopt;
}

std::string changed_key_column(const BackfillStep& step) {
  for (const Assignment& assignment : step.set) {
    if (std::find(step.key.begin(), step.key.end(), assignment.column) != step.key.end())
      return assignment.column;
  }
  return {};
}

}  // namespace pgsluice::engine
