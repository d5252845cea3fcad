#include "kinds/retype/plan_retype.hpp"

#include "kinds/acts/plan_act.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/plan_ddl.hpp"
#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "lanes/batch/batch.hpp"
#include "lanes/statements/batch_statements.hpp"
#include "lanes/statements/block_statements.hpp"
#include "pg/catalog/catalog.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

void plan_fill(pg::Session& session, const Job& job, const rt::Act& act, PlannedStep& planned) {
  const auto table = read_facts(session, act.fill.table).table;
  const auto walked = walked_table(session, act.fill, table);
  const auto limits = batch_limits(job.tunables.batch.target, job.tunables.throttle.lock_wait,
                                   std::chrono::milliseconds{pg::deadlock_timeout_ms(session)});
  const auto sql = batch_sql(table, act.fill, walked.swallowers, std::nullopt);
  add_of_act(act, backfill_statements(table, act.fill, walked, sql, limits, job.tunables.batch.rows),
             planned);
  planned.notes.push_back("the fill of " + table.sql() + " walks " + walk_in_words(walked) + ": " +
                          walked.choice.reason);
  planned.rows_estimated += table.rows_estimate;
}

void plan_act_of(pg::Session& session, const Job& job, const rt::Act& act, PlannedStep& planned) {
  if (act.kind == rt::Act::Kind::kFill) return plan_fill(session, job, act, planned);
  plan_act(act, planned);
}

void plan_move(const rt::MoveScript& script, const rt::Graph& graph, const std::string& when,
               PlannedStep& planned) {
  planned.statements.push_back({"LOCK TABLE " + rt::lock_list(graph, {}) + " IN SHARE UPDATE EXCLUSIVE MODE",
                                with_timeout("SHARE UPDATE EXCLUSIVE", steps::kGentleLockTimeout), false,
                                when});
  for (const auto& sql : script.view_locks)
    planned.statements.push_back({sql, with_timeout("ACCESS EXCLUSIVE", kMoveLockTimeout), false, when});
  planned.statements.push_back(
      {"LOCK TABLE " + rt::lock_list(graph, script.also_locked) + " IN ACCESS EXCLUSIVE MODE",
       with_timeout("ACCESS EXCLUSIVE", kMoveLockTimeout), false, when});
  for (const auto& sql : script.statements)
    planned.statements.push_back({sql, "within the locks above", false, when});
}

}  // namespace

void plan_retype(const StepAt& at, const RetypeStep& step, const rt::Owner& owner, PlannedStep& planned) try {
  const bool is_begun = !at.record().detail.empty();
  if (const auto maker = at.outlook.maker_of_any(step.tables); !maker.empty()) {
    planned.notes.push_back("one of its tables is created by step \"" + maker +
                            "\": its acts are known only after that step");
    return;
  }
  const auto retype = read_retype(at.session, step, owner);
  const auto obstacles = is_begun ? std::vector<Obstacle>{} : retype_obstacles(at.session, retype);
  for (const auto& obstacle : obstacles)
    planned.notes.push_back("run refuses: " + obstacle.message + " (" + obstacle.hint + ")");
  if (!obstacles.empty()) return;
  if (!is_begun)
    planned.notes.push_back(
        "before the first of these, all of them and the way back are rehearsed on an empty likeness of the "
        "tables, in one transaction that is rolled back");
  for (const auto& act : rt::acts_before_cutover(retype)) plan_act_of(at.session, at.job, act, planned);
  const auto bound =
      pg::in_transaction(at.session, {}, [&] { return rt::bound_objects(at.session, retype.graph); });
  plan_move(rt::cutover_script(retype, bound), retype.graph,
            step.is_cutover_auto ? "cut-over, one transaction"
                                 : "cut-over, one transaction, when you run pgsluice cutover " + at.job.name,
            planned);
  plan_move(rt::contract_script(retype), retype.graph, "when you run pgsluice contract " + at.job.name,
            planned);
  for (const auto& table : retype.graph.tables) {
    for (const auto& trigger : table.update_triggers)
      planned.notes.push_back("the fill fires trigger \"" + trigger + "\" of table " + table.sql());
  }
  if (is_begun) planned.notes.push_back("begun: acts that are done are not sent again");
} catch (const Error& e) {
  planned.notes.push_back(std::string("run refuses: ") + e.what());
}

}  // namespace pgsluice::engine
