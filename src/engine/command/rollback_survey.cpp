#include "engine/command/rollback_survey.hpp"

#include <algorithm>

#include "job/sql/statement.hpp"
#include "kinds/index/index.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/undo.hpp"
#include "ledger/undo.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

struct IndexFound {
  std::string index_sql;
  std::string table_sql;
  steps::IndexState state = steps::IndexState::kMissing;
};

IndexFound find_index(pg::Session& session, const IndexStep& step) {
  const auto analysed = job::analyse_statement(step.sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (!facts || !facts->table) return {};
  const auto table_sql = pg::Identifier(facts->table->schema, facts->table->name).sql();
  IndexFound found{steps::index_in_schema_of(session, table_sql, facts->index_name), table_sql, {}};
  found.state = steps::index_state(session, found.index_sql, table_sql);
  return found;
}

/// A value that lives for one survey.
class Surveyor {
 public:
  Surveyor(pg::Session& session, const Job& job, std::int64_t job_id)
      : session_(session), job_(job), traces_(ledger::read_traces(session, job_id)) {
    for (std::size_t i = std::min(traces_.size(), job.steps.size()); i-- > 0;) look_at(i);
  }

  RollbackSurvey result() && { return std::move(result_); }

 private:
  /// A step without keys is applied when its range is done, whatever its state says: the state follows later.
  bool is_applied(std::size_t place) const {
    const auto& trace = traces_[place];
    return trace.state == "done" || (trace.state != "rolled back" && trace.has_range_done);
  }

  void look_at(std::size_t place) {
    const auto& trace = traces_[place];
    if (trace.state == "waiting" || trace.state == "rolled back") return;
    RollbackAct act{place, trace.step_id, {}, "", ""};
    if (const auto* sql = std::get_if<SqlStep>(&job_.steps[place])) plan_sql(*sql, act);
    if (const auto* index = std::get_if<IndexStep>(&job_.steps[place])) plan_index(*index, act);
    if (std::holds_alternative<BackfillStep>(job_.steps[place])) plan_backfill(place);
    if (std::holds_alternative<RetypeStep>(job_.steps[place]) && trace.detail == RetypeDetail::kContracted)
      result_.obstacles.push_back("retype step \"" + step_name(job_.steps[place]) +
                                  "\" is contracted: its old columns are gone");
    result_.acts.push_back(std::move(act));
  }

  void plan_sql(const SqlStep& step, RollbackAct& act) {
    if (!is_applied(act.place)) return;  // all or nothing, and it was nothing
    if (step.down.empty()) result_.obstacles.push_back("sql step \"" + step.name + "\" has no `down`");
    act.down = step.down;
  }

  void plan_index(const IndexStep& step, RollbackAct& act) {
    const auto found = find_index(session_, step);
    // "building" is noted before the build: a run that died after it cannot say any more that the index is
    // its own.
    const auto& detail = traces_[act.place].detail;
    const bool is_ours = detail == "created" || detail == "building";
    if (found.state == steps::IndexState::kBuilding) {
      result_.obstacles.push_back("index " + found.index_sql +
                                  " is being built by a session that outlived its run");
    } else if (found.state == steps::IndexState::kInvalid ||
               (found.state == steps::IndexState::kValid && is_ours)) {
      act.index_sql = found.index_sql;
      act.table_sql = found.table_sql;
    } else if (found.state == steps::IndexState::kValid) {
      result_.remarks.push_back("index " + found.index_sql + " was there before this job: it stays");
    }
  }

  void plan_backfill(std::size_t place) {
    if (traces_[place].rows_changed == 0) return;
    const auto takers = steps_that_take_away(session_, job_, place);
    const bool is_taken =
        !takers.empty() && std::all_of(takers.begin(), takers.end(), [&](auto i) { return is_applied(i); });
    if (is_taken) return;
    result_.obstacles.push_back(
        "backfill step \"" + step_name(job_.steps[place]) +
        "\" has changed rows, their old values are not kept, and no earlier step's `down` drops what it set");
  }

  pg::Session& session_;
  const Job& job_;
  std::vector<ledger::StepTrace> traces_;
  RollbackSurvey result_;
};

}  // namespace

RollbackSurvey survey_rollback(pg::Session& session, const Job& job, std::int64_t job_id) {
  return Surveyor(session, job, job_id).result();
}

}  // namespace pgsluice::engine
