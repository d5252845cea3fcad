#include "table/range_plan.hpp"

#include <algorithm>

#include "pg/catalog/storage.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

std::string joined(const pg::Rows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) text += rows.text(i, 0) + "\n";
  return text;
}

}  // namespace

const pg::UniqueKey& key_behind(const pg::Table& table, const std::vector<pg::Column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return *std::find_if(table.keys.begin(), table.keys.end(), [&](const pg::UniqueKey& key) {
    return key.columns == names && key.unfit_reason.empty();
  });
}

std::optional<RangePlan> explain_range(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                                       const walk::Keyset& keyset, const pg::UniqueKey& key,
                                       std::int64_t rows) {
  return pg::in_transaction(session, {}, [&]() -> std::optional<RangePlan> {
    // Both ends are equal: a batch is a small part of a large table, and only the access path matters. With
    // partitions nothing would be left to plan, so there the ends are a hundredth of the table apart.
    pg::Key lower;
    pg::Key upper;
    for (const auto& column : keyset.key()) {
      const auto middle = pg::middle_values(session, table.oid, column.name);
      if (middle.value.empty()) return std::nullopt;
      lower.push_back(middle.value);
      upper.push_back(table.kind == "p" && lower.size() == keyset.key().size() ? middle.next : middle.value);
    }
    const auto ask = keyset.bound(lower, upper, rows);
    const auto predicate = keyset.predicate({lower, upper, static_cast<int>(lower.size()) - 1});
    const auto bound_plan = joined(session.exec(steps::explain_sql(ask.sql), ask.params));
    const auto update_plan = joined(
        session.exec(steps::explain_sql(steps::update_sql(table, step, predicate.sql)), predicate.params));
    const auto names = pg::index_part_names(session, pg::Identifier(table.schema, key.index_name).sql());
    const auto is_used = [&](const std::string& plan) {
      return std::any_of(names.begin(), names.end(), [&](const auto& name) {
        // EXPLAIN quotes the name if needed, so the bare name is always part of its text.
        return plan.find(name) != std::string::npos;
      });
    };
    return RangePlan{bound_plan + update_plan, is_used(bound_plan) && is_used(update_plan)};
  });
}

std::optional<std::int64_t> estimate_matching(pg::Session& session, const pg::Table& table,
                                              const std::string& where) {
  if (where.empty()) return table.rows_estimate;
  try {
    return pg::in_transaction(session, {}, [&]() -> std::optional<std::int64_t> {
      const auto rows = session.exec("EXPLAIN SELECT FROM " + table.sql() + " WHERE (" + where + "\n)");
      const std::string first = rows.empty() ? "" : rows.text(0, 0);
      const auto at = first.find("rows=");
      if (at == std::string::npos) return std::nullopt;
      return std::stoll(first.substr(at + 5));
    });
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost()) throw;
    return std::nullopt;  // a column that does not exist yet, or a privilege that check reports
  }
}

}  // namespace pgsluice::engine
