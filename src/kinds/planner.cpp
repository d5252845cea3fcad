#include "kinds/planner.hpp"

#include "base/units.hpp"
#include "job/sql/index_body.hpp"
#include "job/sql/statement.hpp"
#include "job/sql/table_effects.hpp"
#include "kinds/backfill/plan_backfill.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/ddl/plan_ddl.hpp"
#include "kinds/index/index.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/plan_retype.hpp"
#include "kinds/undo.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

std::string sql_of(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

/// Why the statement takes long under its lock; nothing for a table that the job makes itself.
void note_long_work(pg::Session& session, const std::string& lock, const std::string& sql,
                    std::vector<std::string>& notes) {
  const auto described = job::table_effects(sql);
  const auto* effects = std::get_if<job::TableEffects>(&described);
  if (!effects) return;
  const std::string held = lock.empty() ? "" : " (" + lock + " is held meanwhile)";
  for (const auto& work : effects->long_work) notes.push_back(work + held);
  for (const auto& function : steps::volatile_functions(session, effects->default_functions)) {
    notes.push_back("the default calls the volatile function " + function + ", so the table is rewritten" +
                    held);
  }
  if (effects->is_opaque)
    notes.push_back("what it changes and which locks it takes cannot be told from its text");
}

/// Plans one job; a value that lives for one call.
class Planner {
 public:
  Planner(pg::Session& session, const Job& job) : session_(session), job_(job) {
    if (!ledger::is_installed(session)) return;
    if (auto record = ledger::find_job(session, job.name)) record_ = std::move(*record);
  }

  PlannedStep plan(std::size_t place) {
    const Step& step = job_.steps[place];
    PlannedStep planned;
    planned.name = step_name(step);
    planned.kind = step_kind(step);
    planned.state = place < record_.steps.size() ? record_.steps[place].state : "";
    std::string index_sql;
    if (const auto* index = std::get_if<IndexStep>(&step)) index_sql = name_of_index(*index);
    const auto undo = undo_of(session_, job_, place, index_sql);
    planned.undo = undo.text;
    planned.can_be_undone = undo.is_possible;
    if (planned.state == "done") {
      planned.notes.push_back("done: nothing is sent");
      return planned;
    }
    if (const auto* sql = std::get_if<SqlStep>(&step)) plan_sql(*sql, planned);
    if (const auto* index = std::get_if<IndexStep>(&step)) plan_index(*index, index_sql, planned);
    if (const auto* backfill = std::get_if<BackfillStep>(&step))
      plan_backfill(session_, job_, *backfill, outlook_, planned);
    if (const auto* verify = std::get_if<VerifyStep>(&step)) plan_verify(*verify, planned);
    if (const auto* retype = std::get_if<RetypeStep>(&step))
      plan_retype(session_, job_, *retype, outlook_, owner(*retype, place), is_begun(place), planned);
    return planned;
  }

 private:
  void plan_sql(const SqlStep& step, PlannedStep& planned) {
    for (auto statement : ddl_statements(step.up)) {
      const auto analysed = job::analyse_statement(statement.sql);
      const auto* facts = std::get_if<job::StatementFacts>(&analysed);
      const bool is_there = facts && facts->table && will_exist(*facts->table, statement.table_sql);
      if (!is_there) statement.table_sql.clear();
      for (const auto& other : facts ? facts->other_locks : std::vector<job::TableLock>{}) {
        if (!will_exist(other.table, sql_of(other.table)))
          std::erase(statement.other_tables_sql, sql_of(other.table));
      }
      for (auto& planned_one : planned_ddl(statement, facts))
        planned.statements.push_back(std::move(planned_one));
      const bool is_new = facts && facts->table && !outlook_.maker_of(*facts->table).empty() &&
                          !steps::is_existing_table(session_, sql_of(*facts->table));
      if (!is_new) note_long_work(session_, facts ? facts->lock : "", statement.sql, planned.notes);
      outlook_.add(step.name, statement.sql);
    }
    planned.notes.push_back("one transaction; without its lock in time it is tried again, up to " +
                            std::to_string(steps::kDdlAttempts) + " times");
  }

  steps::retype::Owner owner(const RetypeStep& step, std::size_t place) {
    if (is_begun(place)) return owner_of(session_, record_.steps[place].step_id);
    return {job_.name, step.name};
  }

  bool is_begun(std::size_t place) const {
    return place < record_.steps.size() && !record_.steps[place].detail.empty();
  }

  bool will_exist(const TableName& table, const std::string& table_sql) {
    if (!outlook_.maker_of(table).empty()) return true;
    return outlook_.dropper_of(table).empty() && steps::is_existing_table(session_, table_sql);
  }

  static job::StatementFacts facts_of(const IndexStep& step) {
    const auto analysed = job::analyse_statement(step.sql);
    const auto* facts = std::get_if<job::StatementFacts>(&analysed);
    return facts ? *facts : job::StatementFacts{};
  }

  std::string name_of_index(const IndexStep& step) {
    const auto facts = facts_of(step);
    return steps::index_in_schema_of(session_, facts.table ? sql_of(*facts.table) : "", facts.index_name);
  }

  void plan_index(const IndexStep& step, const std::string& index_sql, PlannedStep& planned) {
    const auto facts = facts_of(step);
    if (!facts.table) return;
    const auto table_sql = sql_of(*facts.table);
    const std::string lock =
        facts.lock + " on " + table_sql + ", no lock_timeout: it waits for every older transaction";
    switch (steps::index_state(session_, index_sql, table_sql)) {
      case steps::IndexState::kValid:
        planned.notes.push_back(
            "index " + index_sql +
            " is there and valid: if it is what the step says it stays, after rollback too");
        for (const auto& sql :
             steps::probe_sql(table_sql, {facts.table->name, facts.unique, job::index_body(step.sql)}))
          planned.statements.push_back(
              {sql, "ACCESS SHARE on " + table_sql, false, "to compare it, and rolled back"});
        return;
      case steps::IndexState::kForeign:
        planned.notes.push_back("run will refuse: the name " + index_sql + " belongs to something else");
        return;
      case steps::IndexState::kBuilding:
        planned.notes.push_back("another session is building " + index_sql +
                                ": it is waited for, and built only if that fails");
        break;
      case steps::IndexState::kInvalid:
        planned.notes.push_back("index " + index_sql +
                                " is INVALID, left by a build that was interrupted: it is dropped first");
        planned.statements.push_back({steps::drop_index_sql(index_sql), lock});
        break;
      case steps::IndexState::kMissing:
        break;
    }
    planned.statements.push_back({step.sql, lock});
    describe_table(*facts.table, planned);
  }

  void describe_table(const TableName& name, PlannedStep& planned) {
    try {
      const auto facts = read_facts(session_, name);
      planned.rows_estimated = facts.table.rows_estimate;
      planned.notes.push_back("reads the table twice: " +
                              base::format_bytes(static_cast<double>(facts.storage.heap_bytes)));
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
      planned.notes.push_back("its table is locked now: " + holders_in_words(session_, name));
    } catch (const Error& e) {
      const auto maker = outlook_.maker_of(name);
      planned.notes.push_back(maker.empty() ? std::string("run will refuse: ") + e.what()
                                            : "step \"" + maker + "\" makes the table");
    }
  }

  static void plan_verify(const VerifyStep& step, PlannedStep& planned) {
    planned.statements.push_back(
        {step.query, "ACCESS SHARE on the tables that it reads; read-only transaction"});
    planned.notes.push_back("expects " + step.expect);
  }

  pg::Session& session_;
  const Job& job_;
  ledger::JobRecord record_;
  Outlook outlook_;
};

}  // namespace

Plan make_plan(pg::Session& session, const Job& job, const std::string& target) {
  Plan plan{job.name, target, {}};
  Planner planner(session, job);
  for (std::size_t i = 0; i < job.steps.size(); ++i) plan.steps.push_back(planner.plan(i));
  return plan;
}

}  // namespace pgsluice::engine
