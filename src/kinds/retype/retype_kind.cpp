#include "kinds/retype/retype_kind.hpp"

#include "base/failpoint.hpp"
#include "kinds/kind/one_value.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/cutover/standing.hpp"
#include "kinds/retype/cutover/sync_state.hpp"
#include "kinds/retype/definition/read_retype.hpp"
#include "kinds/retype/definition/retype_definition.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/look_beforehand.hpp"
#include "kinds/retype/mapping/questions.hpp"
#include "kinds/retype/plan_retype.hpp"
#include "kinds/retype/retype_checks.hpp"
#include "kinds/retype/retype_pairs.hpp"
#include "kinds/retype/run_retype.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

void ask_for_triggers(const StepAt& at, const RetypeStep& step, std::vector<VerifyResult>& results) {
  if (at.record().detail == RetypeDetail::kContracted) return;
  std::string found;
  for (const auto& wrong : wrong_triggers(at.session, step, at.record()))
    found += (found.empty() ? "" : "; ") + wrong;
  const std::string expected = "as they were made";
  results.push_back(
      {step.name + ": sync triggers", expected, found.empty() ? expected : found, found.empty()});
}

std::vector<steps::retype::Question> questions_at(const std::string& detail,
                                                  const steps::retype::Retype& retype) {
  if (detail == RetypeDetail::kReady) return steps::retype::questions_before_cutover(retype);
  if (detail == RetypeDetail::kCutOver) return steps::retype::questions_after_cutover(retype);
  return steps::retype::questions_after_contract(retype);
}

}  // namespace

std::string tables_in_words(const RetypeStep& step) {
  std::string list;
  for (const auto& table : step.tables)
    list += (list.empty() ? "" : ", ") + pg::Identifier(table.schema, table.name).sql();
  return list + (step.column.empty() ? " and of the tables that refer to them" : "");
}

Step RetypeKind::read(job::Section& section, std::string name) {
  return engine::read_retype(section, std::move(name));
}

std::vector<std::string> RetypeKind::definition() const {
  return definition_of(step_);
}

std::string RetypeKind::left_behind(const ledger::KnownStep& known) {
  return known.has_act_begun ? "it has begun" : "";
}

void RetypeKind::check(const StepAt& at, bool reads_values, Findings& findings) const {
  if (!at.record().detail.empty()) return;
  check_retype_step(at.session, at.job, step_, at.outlook, reads_values, findings);
  if (at.outlook.maker_of_any(step_.tables).empty()) check_beside_earlier(at, step_, findings);
}

void RetypeKind::check_begun(const StepAt& at, Findings& findings) const {
  if (!at.record().detail.empty()) check_triggers(at.session, step_, at.record(), findings);
}

void RetypeKind::plan(const StepAt& at, PlannedStep& planned) const {
  const bool is_begun = !at.record().detail.empty();
  const auto owner =
      is_begun ? owner_of(at.session, at.record().step_id) : steps::retype::Owner{at.job.name, step_.name};
  plan_retype(at, step_, owner, planned);
}

boost::asio::awaitable<bool> RetypeKind::look_before_writing(RunningStep& step,
                                                             const Outlook& outlook) const {
  const bool is_to_begin = step.record.detail.empty() && outlook.maker_of_any(step_.tables).empty();
  if (!is_to_begin) co_return false;
  co_await look_beforehand(step, step_);
  co_return true;
}

boost::asio::awaitable<void> RetypeKind::run(RunningStep& step) const {
  const Story story = [&] { return run_retype(step, step_); };
  co_await run_told(step, story);
}

Undo RetypeKind::undo_planned(const StepAt& /*at*/) const {
  return {true, "the old columns take their names again, with every write since; until contract"};
}

std::optional<std::string> RetypeKind::standing(pg::Session& session, const Job& job) const {
  return standing_in_words(session, job.name, step_.name);
}

void RetypeKind::survey(const StepAt& at, const Traces& traces, RollbackAct& /*act*/,
                        RollbackSurvey& survey) const {
  if (traces.at(at.place).detail != RetypeDetail::kContracted) return;
  survey.obstacles.push_back("retype step \"" + step_.name + "\" is contracted: its old columns are gone");
}

std::vector<std::string> RetypeKind::undoing_in_words(const RollbackAct& /*act*/,
                                                      const std::string& detail) const {
  const auto tables = tables_in_words(step_);
  if (detail != RetypeDetail::kCutOver) return {"the new columns of " + tables + " are dropped"};
  return {"the old columns of " + tables +
          " get their names back, with every write since, and the new ones are dropped"};
}

void RetypeKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  base::failpoint("rollback_before_note");
  roll_back_retype(act, job.name, step_, undo.step_id);
}

/// Each count must be 0. A retype that has not begun, or whose fill is not over, has nothing to prove yet.
void RetypeKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto& detail = at.record().detail;
  if (detail != RetypeDetail::kReady && detail != RetypeDetail::kCutOver &&
      detail != RetypeDetail::kContracted)
    return;
  ask_for_triggers(at, step_, results);
  const auto retype = read_retype(at.session, step_, owner_of(at.session, at.record().step_id));
  for (const auto& question : questions_at(detail, retype)) {
    VerifyResult result{step_.name + ": " + question.what, "0", "", false};
    result.actual = steps::verify_value(at.session, step_.name, question.query);
    result.matches = result.actual == result.expected;
    results.push_back(std::move(result));
  }
}

}  // namespace pgsluice::engine
