#include "kinds/copy/copy_kind.hpp"

#include "base/units.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/copy/compare_copy.hpp"
#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/dropped_with.hpp"
#include "kinds/copy/follow/remove_follow.hpp"
#include "kinds/copy/follow/run_follow.hpp"
#include "kinds/copy/plan_copy.hpp"
#include "kinds/copy/read_copy.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "lanes/batch/copy_step.hpp"
#include "ledger/acts.hpp"
#include "ledger/follow/follow.hpp"
#include "ledger/overview.hpp"
#include "pg/connection/transaction.hpp"
#include "table/follow/follow_facts.hpp"

namespace pgsluice::engine {
namespace {

Compared compare_sides(pg::Session& source, pg::Session& target, const CopyStep& step, const Queued& queued) {
  const auto found = compare_copy(source, target, step, queued);
  return {found.missing + found.different, found.in_words()};
}

}  // namespace

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
  if (step_.follow) lines.add("follow", "true");
  return lines.take();
}

std::string CopyKind::left_behind(const ledger::KnownStep& known) {
  if (known.has_act_begun) return "it follows its source, or has";
  return known.rows_changed == 0 ? "" : "it has copied " + base::format_count(known.rows_changed) + " rows";
}

void CopyKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  check_copy_step(at, step_, findings);
}

void CopyKind::plan(const StepAt& at, PlannedStep& planned) const {
  plan_copy(at, step_, planned);
}

boost::asio::awaitable<void> CopyKind::run(RunningStep& step) const {
  if (step_.follow) {
    CompareSides compare = compare_sides;
    co_return co_await run_follow(step, step_, std::move(compare));
  }
  std::vector<Filling> alone;
  alone.push_back({copying_of(step_), step.record});
  co_await step.fills.run(std::move(alone));
}

Undo CopyKind::undo_planned(const StepAt& at) const {
  if (step_.follow)
    return {true, "until the switch: its queue and triggers at the source are removed; rows of " +
                      job::written(step_.to) + " stay, unless an earlier step takes the table away"};
  if (const auto taker = step_that_drops(at.session, step_.to, at.place, at.downs))
    return {true, "needs no undoing itself: its rows go when step \"" + at.job.steps[*taker].name() +
                      "\" is undone"};
  return {false, "the ledger does not know which rows of " + job::written(step_.to) + " were copied"};
}

void CopyKind::survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                      RollbackSurvey& survey) const {
  if (step_.follow) return survey_follow(at, traces, act, survey);
  const auto rows = traces.at(at.place).rows_changed;
  if (rows == 0) return;
  const auto taker = step_that_drops(at.session, step_.to, at.place, at.downs);
  if (taker && traces.is_applied(*taker)) return;
  survey.obstacles.push_back("copy step \"" + step_.name + "\" has copied " + base::format_count(rows) +
                             " rows into " + job::written(step_.to) +
                             ", and the ledger does not know which ones they are");
}

void CopyKind::survey_follow(const StepAt& at, const Traces& traces, RollbackAct& act,
                             RollbackSurvey& survey) const {
  const auto follow = ledger::read_follow(at.session, traces.at(at.place).step_id);
  if (!follow) return;
  if (follow->is_switched) {
    survey.obstacles.push_back("copy step \"" + step_.name + "\" is switched: what has been written to " +
                               job::written(step_.to) + " since is nowhere else");
    return;
  }
  act.words.push_back("its triggers and its queue at the source are removed");
  if (!step_that_drops(at.session, step_.to, at.place, at.downs))
    survey.remarks.push_back("rows that copy step \"" + step_.name + "\" has copied stay in " +
                             job::written(step_.to) + ": empty it before the job is run again");
}

std::vector<std::string> CopyKind::undoing_in_words(const RollbackAct& act,
                                                    const std::string& /*detail*/) const {
  return act.words;
}

void CopyKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  if (!step_.follow) return StepKind::take_back(act, job, undo);
  remove_follow(act, step_, undo.step_id);
  pg::in_transaction(act.session(), {}, [&] {
    ledger::forget_follow(act.session(), undo.step_id);
    ledger::forget_acts(act.session(), undo.step_id);
    return ledger::mark_rolled_back(act.session(), undo.step_id);
  });
}

void CopyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto follow = step_.follow ? ledger::read_follow(at.session, at.record().step_id) : std::nullopt;
  if (follow && follow->is_switched) {  // both sides were compared then, and the target has gone on
    results.push_back({step_.name, "switched", "switched", true});
    return;
  }
  const auto step = step_.follow ? as_followed(step_) : step_;
  const bool is_known = !at.record().name.empty();
  const auto quarantined = is_known ? ledger::step_counts(at.session, at.record().step_id).quarantined : 0;
  with_source(at.session, step_, [&](pg::Session& source) {
    const auto found = compare_copy(source, at.session, step);
    const auto wrong = found.missing + found.different;
    const auto most = (quarantined > 0 ? "at most " : "") + base::format_count(quarantined);
    results.push_back(
        {step_.name, most + " rows missing or different", found.in_words(), wrong <= quarantined});
  });
}

}  // namespace pgsluice::engine
