#include "kinds/backfill/backfill_kind.hpp"

#include <algorithm>

#include "kinds/backfill/backfill_checks.hpp"
#include "kinds/backfill/plan_backfill.hpp"
#include "kinds/backfill/taken_away.hpp"
#include "kinds/kind/one_value.hpp"
#include "ledger/overview.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

void BackfillKind::check(const StepAt& at, ChecksTogether& /*together*/, Findings& findings) const {
  check_backfill_step(at.session, at.job, step_, at.outlook, findings);
}

void BackfillKind::plan(const StepAt& at, PlannedStep& planned) const {
  plan_backfill(at.session, at.job, step_, at.outlook, planned);
}

Undo BackfillKind::undo_planned(const StepAt& at) const {
  const auto takers = steps_that_take_away(at.session, step_, at.place, at.downs);
  if (takers.empty()) return {false, "once rows are changed their old values are not kept"};
  std::string names;
  for (const auto i : takers)
    names += (names.empty() ? "" : ", ") + ("\"" + step_name(at.job.steps[i]) + "\"");
  return {true, "nothing of its own: what it set goes when step " + names + " is undone"};
}

void BackfillKind::survey(const StepAt& at, const Traces& traces, RollbackAct& /*act*/,
                          RollbackSurvey& survey) const {
  if (traces.at(at.place).rows_changed == 0) return;
  const auto takers = steps_that_take_away(at.session, step_, at.place, at.downs);
  const bool is_taken = !takers.empty() && std::all_of(takers.begin(), takers.end(),
                                                       [&](auto i) { return traces.is_applied(i); });
  if (is_taken) return;
  survey.obstacles.push_back("backfill step \"" + step_.name +
                             "\" has changed rows, their old values are not kept, and no earlier step's "
                             "`down` drops what it set");
}

void BackfillKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  if (step_.where.empty()) return;
  const bool is_known = !at.record.name.empty();
  const auto quarantined = is_known ? ledger::step_counts(at.session, at.record.step_id).quarantined : 0;
  const auto table_sql = pg::Identifier(step_.table.schema, step_.table.name).sql();
  const auto query = "SELECT count(*) FROM " + table_sql + " WHERE (" + step_.where + "\n)";
  VerifyResult result{step_.name, quarantined == 0 ? "0" : "at most " + std::to_string(quarantined), "",
                      false};
  result.actual = steps::verify_value(at.session, step_.name, query);
  result.matches = std::stoll(result.actual) <= quarantined;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
