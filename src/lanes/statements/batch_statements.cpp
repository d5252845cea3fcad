#include "lanes/statements/batch_statements.hpp"

#include <string>

#include "lanes/statements/block_statements.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/unchanged.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kRangeLock = "ROW EXCLUSIVE on pgsluice.range, its one row until COMMIT";
constexpr const char* kOfReferrers = "ROW EXCLUSIVE on the referring table, its rows until COMMIT";
constexpr const char* kFirst = "first batch of the table, which has no lower end";

std::string reads(const pg::Table& table) {
  return "ACCESS SHARE on " + table.sql();
}

std::string milliseconds(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

std::string changes(const pg::Table& table, const pg::TransactionLimits& limits) {
  return "ROW EXCLUSIVE on " + table.sql() + ", its rows until COMMIT, lock_timeout " +
         milliseconds(limits.lock_timeout) + ", statement_timeout " + milliseconds(limits.statement_timeout);
}

/// Placeholder values: only the shape of the statement matters.
pg::Key any_key(const walk::Keyset& keyset) {
  return pg::Key(keyset.key().size());
}

/// The UPDATE for ends that differ from column 0, 1, … on, and the one without a lower end; each preceded by
/// the count of what it selects, if that is wanted.
std::vector<PlannedStatement> update_shapes(const walk::Keyset& keyset, const BatchSql& sql,
                                            const std::string& lock) {
  const auto any = any_key(keyset);
  std::vector<PlannedStatement> out;
  const auto add = [&](const walk::KeySlice& slice, const std::string& when) {
    const auto predicate = keyset.predicate(slice).sql;
    if (sql.before) {
      for (auto& before : sql.before(nullptr, predicate))
        out.push_back({std::move(before), kOfReferrers, true, when});
    }
    if (sql.selected) out.push_back({sql.selected(nullptr, predicate), lock, true, when});
    out.push_back({sql.update(predicate), lock, true, when});
  };
  const int columns = static_cast<int>(keyset.key().size());
  for (int prefix = columns - 1; prefix >= 0; --prefix) {
    const std::string equal = prefix == 0   ? "no key column"
                              : prefix == 1 ? "the first key column"
                                            : "the first " + std::to_string(prefix) + " key columns";
    add({any, any, prefix}, columns == 1 ? "" : "when both ends share " + equal);
  }
  add({std::nullopt, any, 0}, kFirst);
  return out;
}

/// With before-images also once their table is there.
std::vector<PlannedStatement> check_of_expressions(const pg::Table& table, const BackfillStep& step,
                                                   const BatchSql& sql) {
  const auto lock = "ROW EXCLUSIVE on " + table.sql() + ", for a moment";
  std::vector<PlannedStatement> out{
      {steps::explain_sql(steps::update_sql(table, step, "false")), lock, false, "once"}};
  if (step.keep) out.push_back({steps::explain_sql(sql.update("false")), lock, false, "once"});
  return out;
}

std::vector<PlannedStatement> preparing_statements(const pg::Table& table, const walk::Keyset& keyset) {
  const auto any = any_key(keyset);
  return {
      {keyset.sample(std::nullopt, std::nullopt, 2, 1).sql, reads(table), false,
       "once, to cut a large table into ranges"},
      {keyset.highest(), reads(table), false, "once, to end the last range"},
      {keyset.sample(any, any, 2, 1).sql, reads(table), false,
       "when a lane has run out of ranges, to split another lane's"},
      {keyset.bound(any, any, 1).sql, reads(table), false,
       "when the sample has hit too few of the remaining rows, instead of it"},
  };
}

std::vector<PlannedStatement> batch_statements(const pg::Table& table, const walk::Keyset& keyset,
                                               const BatchSql& sql, const pg::TransactionLimits& limits,
                                               std::int64_t rows) {
  const auto any = any_key(keyset);
  std::vector<PlannedStatement> out{
      {pg::begin_sql(limits), "none", true, ""},
      {keyset.bound(any, any, rows).sql, reads(table), true, ""},
      {keyset.bound(std::nullopt, any, rows).sql, reads(table), true, kFirst},
      {keyset.remainder(any, any, rows).sql, reads(table), true, "last batch of a range"},
      {keyset.remainder(std::nullopt, any, rows).sql, reads(table), true,
       "first batch of a table, if it is also the last of its range"},
      {ledger::advance_sql(), kRangeLock, true, ""},
  };
  for (auto& update : update_shapes(keyset, sql, changes(table, limits))) out.push_back(std::move(update));
  out.push_back({ledger::count_and_commit(1, {rows, rows, 0, false}), kRangeLock, true, ""});
  if (sql.selected) out.push_back(planned_note(rows));
  return out;
}

}  // namespace

PlannedStatement planned_note(std::int64_t rows) {
  return {ledger::note_unchanged(1, 1, false) + ledger::count_and_commit(1, {rows, rows - 1, 0, false}),
          "ROW EXCLUSIVE on pgsluice.step, its one row until COMMIT", true,
          "when a trigger or rule has left a selected row unchanged, instead of the one before"};
}

std::vector<PlannedStatement> backfill_statements(const pg::Table& table, const BackfillStep& step,
                                                  const WalkedTable& walked, const BatchSql& sql,
                                                  const pg::TransactionLimits& limits, std::int64_t rows) {
  auto out = check_of_expressions(table, step, sql);
  for (auto& statement : walk_statements(table, step, walked, sql, limits, rows))
    out.push_back(std::move(statement));
  return out;
}

std::vector<PlannedStatement> walk_statements(const pg::Table& table, const BackfillStep& step,
                                              const WalkedTable& walked, const BatchSql& sql,
                                              const pg::TransactionLimits& limits, std::int64_t rows) {
  std::vector<PlannedStatement> out;
  out.push_back({pg::counted_rows_sql(table.sql()), reads(table), false,
                 "once, to count the rows on a sample of its pages"});
  const auto add = [&](std::vector<PlannedStatement> statements, const std::string& only) {
    for (auto& statement : statements) {
      if (!only.empty()) statement.when = only + (statement.when.empty() ? "" : ", " + statement.when);
      out.push_back(std::move(statement));
    }
  };
  if (walked.sampled)
    out.push_back({pg::sample_pages_sql(*walked.sampled), "ACCESS SHARE on " + walked.sampled->table_sql,
                   false, "once, to choose the walk and its passes"});
  const bool is_by_blocks = walked.choice.walk != Walk::kKeyset;
  if (is_by_blocks) add(block_statements(table, step, walked, sql, limits), "");
  if (!walked.keyset) return out;
  const std::string only = is_by_blocks ? "only in a final pass" : "";
  add(preparing_statements(table, *walked.keyset), only);
  add(batch_statements(table, *walked.keyset, sql, limits, rows), only);
  return out;
}

}  // namespace pgsluice::engine
