#include "kinds/ddl/plan_ddl.hpp"

#include "base/units.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

std::string sql_of(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

std::string listed(const steps::DdlStatement& statement) {
  auto list = statement.table_sql;
  for (const auto& other : statement.other_tables_sql) list += ", " + other;
  return list;
}

}  // namespace

std::string lock_in_words(const job::StatementFacts& facts) {
  std::string words;
  if (facts.table && !facts.lock.empty()) words = facts.lock + " on " + sql_of(*facts.table);
  if (!facts.table && !facts.lock.empty()) words = facts.lock;
  for (const auto& other : facts.other_locks)
    words += (words.empty() ? "" : ", ") + (other.lock + " on " + sql_of(other.table));
  return words;
}

std::string with_timeout(const std::string& lock, std::chrono::milliseconds timeout) {
  return lock + ", lock_timeout " + base::format_duration(timeout);
}

std::vector<PlannedStatement> planned_ddl(const steps::DdlStatement& statement,
                                          const job::StatementFacts* facts) {
  const auto texts = steps::ddl_texts(statement);
  std::vector<PlannedStatement> out;
  if (texts.size() > 1) {
    out.push_back({texts.front(), with_timeout("SHARE UPDATE EXCLUSIVE on " + listed(statement),
                                               steps::kGentleLockTimeout)});
  }
  if (texts.size() > 2)
    out.push_back(
        {texts[1], with_timeout(statement.lock + " on " + listed(statement), steps::kPairLockTimeout)});
  const auto lock = facts ? lock_in_words(*facts) : "";
  out.push_back({texts.back(),
                 lock.empty() ? "none on an existing table" : with_timeout(lock, steps::kDdlLockTimeout)});
  return out;
}

}  // namespace pgsluice::engine
