#include "kinds/kind/undo_by_statements.hpp"

#include "base/failpoint.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/index_build/index.hpp"
#include "ledger/acts.hpp"
#include "pg/activity/lock_holders.hpp"

namespace pgsluice::engine {
namespace {

void drop_index(OperatorAct& act, const Job& job, const std::string& step, const RollbackAct& undo) {
  const auto sql = steps::drop_index_sql(undo.index_sql);
  act.journal().write(event::Statement{step, sql, "SHARE UPDATE EXCLUSIVE"});
  for (const auto& holder : pg::lock_holders(act.session(), undo.table_sql)) {
    act.journal().warn("the index of " + undo.table_sql + " is dropped once " + holder +
                       " has ended its transaction");
  }
  act.store_events();
  act.insist(
      failing_to_undo(step),
      [&] {
        if (job.direct_dsn.empty()) return steps::run_concurrently(act.session(), sql);
        pg::Session own(pg::ConnectionTarget(job.direct_dsn), "pgsluice rollback index");
        steps::run_concurrently(own, sql);
      },
      [] { return std::string(); });
}

}  // namespace

void undo_by_statements(OperatorAct& act, const Job& job, const std::string& step, const RollbackAct& undo) {
  if (!undo.index_sql.empty()) drop_index(act, job, step, undo);
  base::failpoint("rollback_before_note");
  auto statements = ddl_statements(undo.down);
  for (const auto& s : statements) act.journal().write(event::Statement{step, s.sql, s.lock});
  std::vector<std::string> tables;
  for (const auto& statement : statements) {
    tables.push_back(statement.table_sql);
    for (auto& other : steps::tables_referenced_till_now(act.session(), statement))
      tables.push_back(std::move(other));
  }
  act.insist(
      failing_to_undo(step),
      [&] {
        steps::attempt_ddl(act.session(), statements, [&](pg::Session& s) {
          ledger::forget_acts(s, undo.step_id);
          return ledger::mark_rolled_back(s, undo.step_id);
        });
      },
      [&] { return holders_of(act.session(), tables); });
}

}  // namespace pgsluice::engine
