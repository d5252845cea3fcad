#include "kinds/copy/copy_kind.hpp"

#include "base/units.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/copy/compare_copy.hpp"
#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/dropped_with.hpp"
#include "kinds/copy/plan_copy.hpp"
#include "kinds/copy/read_copy.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "lanes/batch/copy_step.hpp"
#include "ledger/overview.hpp"

namespace pgsluice::engine {

Step CopyKind::read(job::Section& section, std::string name) {
  return read_copy(section, std::move(name));
}

std::vector<std::string> CopyKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("from.table", job::written(step_.from));
  if (!step_.where.empty()) lines.add("from.where", step_.where);
  lines.add("to", job::written(step_.to));
  for (const auto& item : step_.columns) lines.add("columns." + job::written(item.column), item.expression);
  lines.add("on_conflict", on_conflict_name(step_.on_conflict));
  return lines.take();
}

std::string CopyKind::left_behind(const ledger::KnownStep& known) {
  return known.rows_changed == 0 ? "" : "it has copied " + base::format_count(known.rows_changed) + " rows";
}

void CopyKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  check_copy_step(at, step_, findings);
}

void CopyKind::plan(const StepAt& at, PlannedStep& planned) const {
  plan_copy(at, step_, planned);
}

boost::asio::awaitable<void> CopyKind::run(RunningStep& step) const {
  std::vector<Filling> alone;
  alone.push_back({copying_of(step_), step.record});
  co_await step.fills.run(std::move(alone));
}

Undo CopyKind::undo_planned(const StepAt& at) const {
  if (const auto taker = step_that_drops(at.session, step_.to, at.place, at.downs))
    return {true, "needs no undoing itself: its rows go when step \"" + at.job.steps[*taker].name() +
                      "\" is undone"};
  return {false, "the ledger does not know which rows of " + job::written(step_.to) + " were copied"};
}

void CopyKind::survey(const StepAt& at, const Traces& traces, RollbackAct& /*act*/,
                      RollbackSurvey& survey) const {
  const auto rows = traces.at(at.place).rows_changed;
  if (rows == 0) return;
  const auto taker = step_that_drops(at.session, step_.to, at.place, at.downs);
  if (taker && traces.is_applied(*taker)) return;
  survey.obstacles.push_back("copy step \"" + step_.name + "\" has copied " + base::format_count(rows) +
                             " rows into " + job::written(step_.to) +
                             ", and the ledger does not know which ones they are");
}

void CopyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const bool is_known = !at.record().name.empty();
  const auto quarantined = is_known ? ledger::step_counts(at.session, at.record().step_id).quarantined : 0;
  with_source(at.session, step_, [&](pg::Session& source) {
    const auto found = compare_copy(source, at.session, step_);
    const auto wrong = found.missing + found.different;
    const auto most = (quarantined > 0 ? "at most " : "") + base::format_count(quarantined);
    results.push_back(
        {step_.name, most + " rows missing or different", found.in_words(), wrong <= quarantined});
  });
}

}  // namespace pgsluice::engine
