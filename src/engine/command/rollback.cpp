#include "engine/command/rollback.hpp"

#include <algorithm>
#include <chrono>

#include "base/failpoint.hpp"
#include "engine/command/rollback_survey.hpp"
#include "kinds/ddl/operator_act.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "kinds/table_of_kinds.hpp"
#include "ledger/control.hpp"
#include "ledger/jobs.hpp"
#include "ledger/overview.hpp"
#include "ledger/runs.hpp"
#include "ledger/undo.hpp"
#include "pg/catalog/catalog.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kActor = "rollback";
constexpr const char* kNoRun = "00000000-0000-0000-0000-000000000000";

/// One rollback; lives for one call.
class Rollback {
 public:
  Rollback(pg::Session& session, const Job& job, const std::function<void(EventBody)>& tell)
      : session_(session), job_(job), act_(session, job.name, 0, tell) {}

  void run() {
    find_job();
    refuse_beside_runs();
    refuse_obstacles(survey_rollback(session_, job_, job_id_));
    const auto before = ledger::read_overview(session_, job_.name).front();
    shut_out_runs();
    RollbackSurvey survey;
    try {
      refuse_beside_runs();
      ledger::fence_job(session_, job_id_);
      survey = survey_rollback(session_, job_, job_id_);  // an orphan may have committed in the meantime
      refuse_obstacles(survey);
    } catch (...) {
      ledger::set_control(session_, job_.name, before.control, kActor, "rollback refused");
      throw;
    }
    for (const auto& remark : survey.remarks) act_.journal().warn(remark);
    for (const auto& act : survey.acts) undo(act);
    finish();
  }

 private:
  void find_job() {
    const auto record = ledger::find_job(session_, job_.name);
    if (!record) {
      throw Error(ExitCode::kNoSuchJob, "no job \"" + job_.name + "\" in this database's ledger",
                  "pgsluice status lists the jobs");
    }
    job_id_ = record->job_id;
    act_.set_job_id(job_id_);
    state_ = record->state;
    const auto change = read_definition_change(session_, job_, job_id_);
    if (change.refused.empty()) return;
    std::string message = "job \"" + job_.name + "\" exists with another definition";
    for (const auto& line : change.refused) message += "\n  " + line;
    throw Error(ExitCode::kRefused, message,
                "roll back with the file that it ran with; only `down` may be corrected");
  }

  void refuse_beside_runs() {
    ledger::end_gone_runs(session_, job_id_);
    if (const int live = ledger::other_live_runs(session_, job_id_, kNoRun); live > 0) {
      throw Error(
          ExitCode::kRefused,
          "job \"" + job_.name + "\" has " + std::to_string(live) + " live run" + (live > 1 ? "s" : ""),
          "stop it first: pgsluice cancel " + job_.name +
              ", and wait until it ends (a run killed on another host counts as live until its lease ends)");
    }
  }

  void refuse_obstacles(const RollbackSurvey& survey) {
    if (survey.obstacles.empty() &&
        (!needs_own_session(survey) || !pg::is_behind_pooler(session_) || !job_.direct_dsn.empty()))
      return;
    if (survey.obstacles.empty()) {
      throw Error(ExitCode::kRefused,
                  "an index must be dropped concurrently, but the connection goes through a pooler",
                  "give the server's own address as direct_dsn in the job file");
    }
    std::string message = "job \"" + job_.name + "\" cannot be rolled back";
    for (const auto& obstacle : survey.obstacles) message += "\n  " + obstacle;
    throw Error(
        ExitCode::kRefused, message,
        "nothing was changed; write the missing `down`, or undo that step by hand and run pgsluice resolve " +
            job_.name + " STEP --rolled-back");
  }

  static bool needs_own_session(const RollbackSurvey& survey) {
    return std::any_of(survey.acts.begin(), survey.acts.end(),
                       [](const RollbackAct& act) { return !act.index_sql.empty(); });
  }

  /// A run that starts from now on finds 'cancel' and exits; refuse_beside_runs() finds one that was quicker.
  void shut_out_runs() {
    ledger::set_control(session_, job_.name, Control::kCancel, kActor, "the job is being rolled back");
  }

  void undo(const RollbackAct& act) {
    const Step& step = job_.steps[act.place];
    const auto began = std::chrono::steady_clock::now();
    kind_of(step)->take_back(act_, job_, act);
    base::failpoint("rollback_after_step");
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    act_.journal().write(event::StepEnded{step.name(), step.kind(), "rolled back", {}, took});
    act_.store_events();
  }

  void finish() {
    pg::in_transaction(session_, {}, [&] {
      ledger::set_job_state(session_, job_id_, JobState::kRolledBack);
      return true;
    });
    ledger::set_control(session_, job_.name, Control::kRun, kActor, "the job is rolled back");
    act_.journal().write(
        event::State{name_of(state_), "rolled back", "every step that had changed something is undone"});
    act_.store_events();
  }

  pg::Session& session_;
  const Job& job_;
  OperatorAct act_;
  std::int64_t job_id_ = 0;
  JobState state_ = JobState::kReady;
};

}  // namespace

void rollback_job(pg::Session& session, const Job& job, const std::function<void(EventBody)>& tell) {
  Rollback(session, job, tell).run();
}

}  // namespace pgsluice::engine
