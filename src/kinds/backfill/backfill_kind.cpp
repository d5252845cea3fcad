#include "kinds/backfill/backfill_kind.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/backfill/backfill_checks.hpp"
#include "kinds/backfill/old_values.hpp"
#include "kinds/backfill/plan_backfill.hpp"
#include "kinds/backfill/read_backfill.hpp"
#include "kinds/backfill/taken_away.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/one_value.hpp"
#include "ledger/overview.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

Step BackfillKind::read(job::Section& section, std::string name) {
  return read_backfill(section, std::move(name));
}

std::vector<std::string> BackfillKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("table", job::written(step_.table));
  for (const std::string& column : step_.key) lines.add("key", job::written(column));
  for (const Assignment& item : step_.set) lines.add("set." + job::written(item.column), item.expression);
  if (!step_.where.empty()) lines.add("where", step_.where);
  if (step_.keep) lines.add("keep", "true");
  return lines.take();
}

std::string BackfillKind::left_behind(const ledger::KnownStep& known) {
  return known.rows_changed == 0 ? "" : "it has changed " + base::format_count(known.rows_changed) + " rows";
}

void BackfillKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  check_backfill_step(at.session, at.job, step_, at.outlook, findings);
}

void BackfillKind::plan(const StepAt& at, PlannedStep& planned) const {
  plan_backfill(at, step_, planned);
}

boost::asio::awaitable<void> BackfillKind::run(RunningStep& step) const {
  std::vector<Filling> alone{filling_of(step_, step.record)};
  co_await step.fills.run(std::move(alone));
}

Undo BackfillKind::undo_planned(const StepAt& at) const {
  const auto takers = steps_that_take_away(at.session, step_, at.place, at.downs);
  if (takers.empty() && step_.keep)
    return {true,
            "puts the old values back from before-images, in batches, where the new ones still stand; a row "
            "whose key was deleted and inserted again counts as ours, one whose key was changed as gone"};
  if (takers.empty()) return {false, "the old values of changed rows are not kept: keep = true keeps them"};
  std::string names;
  for (const auto i : takers) names += (names.empty() ? "" : ", ") + ("\"" + at.job.steps[i].name() + "\"");
  return {true, "needs no undoing itself: its values go when step " + names + " is undone" +
                    (step_.keep ? ", so keep is not needed" : "")};
}

void BackfillKind::survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                          RollbackSurvey& survey) const {
  if (traces.at(at.place).rows_changed == 0) return;
  const auto takers = steps_that_take_away(at.session, step_, at.place, at.downs);
  const bool is_taken = !takers.empty() && std::all_of(takers.begin(), takers.end(),
                                                       [&](auto i) { return traces.is_applied(i); });
  if (is_taken) return;
  if (step_.keep) return survey_images(at, old_values_of(step_), act, survey);
  survey.obstacles.push_back("backfill step \"" + step_.name +
                             "\" has changed rows, their old values are not kept, and no earlier step's "
                             "`down` drops what it set");
}

std::vector<std::string> BackfillKind::undoing_in_words(const RollbackAct& act,
                                                        const std::string& /*detail*/) const {
  return act.words;
}

boost::asio::awaitable<void> BackfillKind::undo(RunningStep& step, const RollbackAct& act) const {
  if (act.has_images) {
    const auto use = old_values_of(step_);
    co_await restore_images(step, use, act);
  } else {
    co_await StepKind::undo(step, act);
  }
}

void BackfillKind::take_back(OperatorAct& act, const Job& /*job*/, const RollbackAct& undo) const {
  forget_images(act, undo);
}

void BackfillKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  if (step_.where.empty()) return;
  const bool is_known = !at.record().name.empty();
  const auto quarantined = is_known ? ledger::step_counts(at.session, at.record().step_id).quarantined : 0;
  const auto table_sql = pg::Identifier(step_.table.schema, step_.table.name).sql();
  const auto query = "SELECT count(*) FROM " + table_sql + " WHERE (" + step_.where + "\n)";
  VerifyResult result{step_.name, quarantined == 0 ? "0" : "at most " + std::to_string(quarantined), "",
                      false};
  result.actual = steps::verify_value(at.session, step_.name, query);
  result.matches = std::stoll(result.actual) <= quarantined;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
