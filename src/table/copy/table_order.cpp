#include "table/copy/table_order.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "job/sql/table_name.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

// Rows (referring, referenced): places in the list. A partition's copy of a foreign key stands for its
// parent's.
constexpr const char* kReferences = R"sql(
WITH named AS (SELECT pg_catalog.to_regclass(name) AS oid, place FROM unnest($1::text[]) WITH ORDINALITY AS n(name, place))
SELECT DISTINCT referring.place - 1, referenced.place - 1, k.conname
FROM named AS referring
JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid = referring.oid
JOIN named AS referenced ON referenced.oid = k.confrelid AND referenced.oid <> referring.oid
ORDER BY 1, 2
)sql";

std::string quoted(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

using Needs = std::vector<std::set<std::size_t>>;  // by place: the places of referenced tables

/// Without those that only refer to a table in the circle.
std::vector<std::size_t> in_circle(std::vector<std::size_t> left, const Needs& needs) {
  const auto is_needless = [&](std::size_t place) {
    return std::none_of(left.begin(), left.end(), [&](auto other) { return needs[other].contains(place); });
  };
  for (auto end = std::find_if(left.begin(), left.end(), is_needless); end != left.end();
       end = std::find_if(left.begin(), left.end(), is_needless))
    left.erase(end);
  return left;
}

[[noreturn]] void refuse_circle(const CopyStep& step, const std::vector<std::size_t>& circle) {
  std::string names;
  for (const auto place : circle) names += (names.empty() ? "" : ", ") + job::written(step.tables[place]);
  throw Error(ExitCode::kRefused,
              "step \"" + step.name + "\": tables " + names +
                  " refer to each other in a circle, so none of them can be copied first",
              "add one of these foreign keys after the copy, with a constraint step");
}

}  // namespace

CopyStep copy_of_table(const CopyStep& step, const TableName& table) {
  auto one = step;
  one.tables.clear();
  one.from = one.to = table;
  return one;
}

std::vector<CopyStep> copies_of(const CopyStep& step) {
  if (step.tables.empty()) return {step};
  std::vector<CopyStep> out;
  for (const auto& table : step.tables) out.push_back(copy_of_table(step, table));
  return out;
}

std::vector<std::size_t> order_of_tables(pg::Session& session, const CopyStep& step) {
  const auto& tables = step.tables;
  if (tables.empty()) return {0};
  pg::Key names;
  for (const auto& table : tables) names.push_back(quoted(table));
  const auto rows = session.exec(kReferences, {pg::to_array(names)});
  Needs needs(tables.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    needs.at(static_cast<std::size_t>(rows.integer(i, 0)))
        .insert(static_cast<std::size_t>(rows.integer(i, 1)));
  std::vector<std::size_t> left(tables.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<std::size_t> order;
  while (!left.empty()) {
    const auto next =
        std::find_if(left.begin(), left.end(), [&](std::size_t place) { return needs[place].empty(); });
    if (next == left.end()) refuse_circle(step, in_circle(left, needs));
    const auto place = *next;
    order.push_back(place);
    left.erase(next);
    for (auto& need : needs) need.erase(place);
  }
  return order;
}

}  // namespace pgsluice::engine
