#include "engine/plan_retype.hpp"

#include "base/units.hpp"
#include "engine/cutover.hpp"
#include "engine/ddl_statements.hpp"
#include "engine/retype_facts.hpp"
#include "pg/catalog.hpp"
#include "pg/identifier.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "steps/backfill/update.hpp"
#include "steps/retype/acts.hpp"
#include "steps/retype/swap.hpp"
#include "steps/sql/ddl.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

std::string with_timeout(const std::string& lock, std::chrono::milliseconds timeout) {
  return lock + ", lock_timeout " + base::format_duration(timeout);
}

/// The heading of an act is the `when` of its statements.
void plan_ddl(const rt::Act& act, PlannedStep& planned) {
  for (const auto& statement : ddl_statements(act.sql)) {
    const auto lock =
        statement.lock.empty()
            ? std::string("none on a table that is there")
            : with_timeout(statement.lock + (statement.table_sql.empty() ? "" : " on " + statement.table_sql),
                           steps::kDdlLockTimeout);
    planned.statements.push_back({statement.sql, lock, false, act.part + ": " + act.name});
  }
}

void plan_fill(const rt::Act& act, PlannedStep& planned) {
  std::string sql = "UPDATE " + pg::Identifier(act.fill.table.schema, act.fill.table.name).sql() + "\nSET ";
  for (std::size_t i = 0; i < act.fill.set.size(); ++i)
    sql += (i ? ", " : "") + pg::Identifier(act.fill.set[i].column).sql() + " = (" +
           act.fill.set[i].expression + ")";
  sql += "\nWHERE … AND CASE WHEN (" + act.fill.where + ") THEN true END";
  planned.statements.push_back({sql, "ROW EXCLUSIVE, its rows until COMMIT", true,
                                act.part + ": " + act.name + ", batch by batch along the primary key"});
}

void plan_act(const rt::Act& act, PlannedStep& planned) {
  switch (act.kind) {
    case rt::Act::Kind::kDdl:
      return plan_ddl(act, planned);
    case rt::Act::Kind::kFill:
      return plan_fill(act, planned);
    case rt::Act::Kind::kIndex:
    case rt::Act::Kind::kVacuum:
      planned.statements.push_back(
          {act.sql.front(), "SHARE UPDATE EXCLUSIVE, no lock_timeout", false, act.part + ": " + act.name});
      return;
    case rt::Act::Kind::kFence:
      planned.notes.push_back(act.name);
      return;
  }
}

void plan_swap(const rt::SwapScript& script, const rt::Graph& graph, const std::string& when,
               PlannedStep& planned) {
  planned.statements.push_back({"LOCK TABLE " + rt::lock_list(graph, {}) + " IN SHARE UPDATE EXCLUSIVE MODE",
                                with_timeout("SHARE UPDATE EXCLUSIVE", steps::kGentleLockTimeout), false,
                                when});
  for (const auto& sql : script.view_locks)
    planned.statements.push_back({sql, with_timeout("ACCESS EXCLUSIVE", kSwapLockTimeout), false, when});
  planned.statements.push_back(
      {"LOCK TABLE " + rt::lock_list(graph, script.also_locked) + " IN ACCESS EXCLUSIVE MODE",
       with_timeout("ACCESS EXCLUSIVE", kSwapLockTimeout), false, when});
  for (const auto& sql : script.statements)
    planned.statements.push_back({sql, "within the locks above", false, when});
}

}  // namespace

void plan_retype(pg::Session& session, const Job& job, const RetypeStep& step, PlannedStep& planned) try {
  const auto retype = read_retype(session, step);
  const auto obstacles = retype_obstacles(session, retype);
  for (const auto& obstacle : obstacles)
    planned.notes.push_back("run refuses: " + obstacle.message + " (" + obstacle.hint + ")");
  if (!obstacles.empty()) return;
  for (const auto& act : rt::acts_before_cutover(retype)) plan_act(act, planned);
  const auto bound =
      pg::in_transaction(session, {}, [&] { return rt::bound_objects(session, retype.graph); });
  plan_swap(rt::cutover_script(retype, bound), retype.graph,
            step.is_cutover_auto ? "cut-over, one transaction"
                                 : "cut-over, one transaction, when you say pgsluice cutover " + job.name,
            planned);
  plan_swap(rt::contract_script(retype), retype.graph, "when you say pgsluice contract " + job.name, planned);
  for (const auto& table : retype.graph.tables) {
    planned.rows_estimated += pg::read_table(session, {table.schema, table.name}).rows_estimate;
    for (const auto& trigger : table.update_triggers)
      planned.notes.push_back("the fill fires trigger \"" + trigger + "\" of table " + table.sql());
  }
} catch (const Error& e) {
  planned.notes.push_back(std::string("run refuses: ") + e.what());
}

}  // namespace pgsluice::engine
