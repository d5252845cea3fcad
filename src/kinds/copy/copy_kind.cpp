#include "kinds/copy/copy_kind.hpp"

#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/copy/copied_rows.hpp"
#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/dropped_with.hpp"
#include "kinds/copy/follow/remove_follow.hpp"
#include "kinds/copy/follow/run_follow.hpp"
#include "kinds/copy/follow/switch_over.hpp"
#include "kinds/copy/plan_copy.hpp"
#include "kinds/copy/read_copy.hpp"
#include "kinds/copy/several_tables.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "lanes/batch/copy_step.hpp"
#include "ledger/acts.hpp"
#include "ledger/follow/follow.hpp"
#include "ledger/jobs.hpp"
#include "ledger/overview.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/kept_rows.hpp"
#include "table/copy/table_order.hpp"
#include "table/follow/follow_facts.hpp"

namespace pgsluice::engine {
namespace {

// Of a transaction that mends rows: into a stage, an UPDATE, an INSERT.
constexpr int kMendingStatements = 3;

pg::TransactionLimits repair_limits(pg::Session& session, const Tunables& tunables) {
  auto limits = batch_limits(tunables.batch.target, tunables.throttle.lock_wait,
                             std::chrono::milliseconds{pg::deadlock_timeout_ms(session)}, kMendingStatements);
  limits.is_synchronous = true;
  return limits;
}

}  // namespace

Step CopyKind::read(job::Section& section, std::string name) {
  return read_copy(section, std::move(name));
}

std::vector<std::string> CopyKind::definition() const {
  DefinitionLines lines(step_);
  for (const auto& table : step_.tables) lines.add("tables", job::written(table));
  if (!step_.tables.empty()) {
    lines.add("on_conflict", on_conflict_name(step_.on_conflict));
    if (step_.follow) lines.add("follow", "true");
    return lines.take();
  }
  lines.add("from.table", job::written(step_.from));
  if (!step_.where.empty()) lines.add("from.where", step_.where);
  lines.add("to", job::written(step_.to));
  for (const auto& item : step_.columns) lines.add("columns." + job::written(item.column), item.expression);
  lines.add("on_conflict", on_conflict_name(step_.on_conflict));
  if (step_.follow) lines.add("follow", "true");
  if (step_.keep) lines.add("keep", "true");
  return lines.take();
}

std::string CopyKind::left_behind(const ledger::KnownStep& known) {
  if (known.has_act_begun) return "it has copied rows, or follows its source";
  return known.rows_changed == 0 ? "" : "it has copied " + base::format_count(known.rows_changed) + " rows";
}

void CopyKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  if (!step_.tables.empty()) return check_tables(at, step_, findings);
  check_copy_step(at, step_, findings);
}

void CopyKind::plan(const StepAt& at, PlannedStep& planned) const {
  if (!step_.tables.empty()) return plan_tables(at, step_, planned);
  plan_copy(at, step_, planned);
}

boost::asio::awaitable<void> CopyKind::run(RunningStep& step) const {
  if (step_.follow) co_return co_await run_follow(step, step_);
  if (!step_.tables.empty()) {
    const Story story = [&] { return run_tables(step, step_); };
    co_await run_told(step, story);
    co_return;
  }
  std::vector<Filling> alone;
  alone.push_back({copying_of(step_), step.record});
  co_await step.fills.run(std::move(alone));
}

std::vector<CopyStep> CopyKind::copies() const {
  auto copies = copies_of(step_);
  if (!step_.follow) return copies;
  for (auto& copy : copies) copy = as_followed(copy);
  return copies;
}

/// nullopt: some rows would stay.
std::optional<std::vector<std::size_t>> CopyKind::takers(const StepAt& at) const {
  std::vector<std::size_t> out;
  for (const auto& copy : copies()) {
    const auto taker = step_that_drops(at.session, copy.to, at.place, at.downs);
    if (!taker) return std::nullopt;
    out.push_back(*taker);
  }
  return out;
}

Undo CopyKind::undo_planned(const StepAt& at) const {
  if (step_.follow)
    return {true, "until the switch: its queue and triggers at the source are removed; rows of " +
                      targets_in_words() + " stay, unless an earlier step takes the table away"};
  if (const auto by = takers(at)) {
    std::set<std::string> names;
    for (const auto place : *by) names.insert("\"" + at.job.steps[place].name() + "\"");
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    return {true, "needs no undoing itself: its rows go when step " + all + " is undone"};
  }
  if (step_.keep)
    return {true,
            "removes the rows that were copied, in batches, where they still are as copied; the others are "
            "counted, named and kept"};
  return {false, "the ledger does not know which rows of " + targets_in_words() +
                     " were copied: keep = true notes it"};
}

std::string CopyKind::targets_in_words() const {
  std::string names;
  for (const auto& copy : copies()) names += (names.empty() ? "" : ", ") + job::written(copy.to);
  return names;
}

void CopyKind::survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                      RollbackSurvey& survey) const {
  if (step_.follow) return survey_follow(at, traces, act, survey);
  const auto rows = step_.tables.empty() ? traces.at(at.place).rows_changed
                                         : ledger::step_counts(at.session, act.step_id).changed;
  if (rows == 0) return;
  const auto by = takers(at);
  if (by && std::all_of(by->begin(), by->end(), [&](auto place) { return traces.is_applied(place); })) return;
  if (step_.keep) return survey_images(at, copied_rows_of(step_), act, survey);
  survey.obstacles.push_back("copy step \"" + step_.name + "\" has copied " + base::format_count(rows) +
                             " rows into " + targets_in_words() +
                             ", and the ledger does not know which ones they are");
}

void CopyKind::survey_follow(const StepAt& at, const Traces& traces, RollbackAct& act,
                             RollbackSurvey& survey) const {
  const auto follow = ledger::read_follow(at.session, traces.at(at.place).step_id);
  if (!follow) return;
  bool is_switched = follow->is_switched;
  // A run that died may have switched, and have said so to nobody.
  if (!is_switched)
    with_source(at.session, step_, [&](pg::Session& source) {
      is_switched = is_switched_at_source(source, followed_sources(step_, follow->queue).front());
    });
  if (is_switched) {
    survey.obstacles.push_back("copy step \"" + step_.name + "\" is switched: what has been written to " +
                               targets_in_words() + " since is nowhere else" +
                               (follow->is_switched ? "" : "; run the job, which finishes the switch"));
    return;
  }
  act.words.push_back("its triggers and its queue at the source are removed");
  if (!takers(at))
    survey.remarks.push_back("rows that copy step \"" + step_.name + "\" has copied stay in " +
                             targets_in_words() + ": empty it before the job is run again");
}

std::vector<std::string> CopyKind::undoing_in_words(const RollbackAct& act,
                                                    const std::string& /*detail*/) const {
  return act.words;
}

boost::asio::awaitable<void> CopyKind::undo(RunningStep& step, const RollbackAct& act) const {
  if (act.has_images) {
    const auto use = copied_rows_of(step_);
    co_await restore_images(step, use, act);
  } else {
    co_await StepKind::undo(step, act);
  }
}

void CopyKind::take_back(OperatorAct& act, const Job& /*job*/, const RollbackAct& undo) const {
  if (!step_.follow) return forget_images(act, undo);
  remove_follow(act, step_, undo.step_id);
  pg::in_transaction(act.session(), {}, [&] {
    ledger::forget_follow(act.session(), undo.step_id);
    ledger::forget_acts(act.session(), undo.step_id);
    return ledger::mark_rolled_back(act.session(), undo.step_id);
  });
}

VerifyResult CopyKind::result_of(const StepAt& at, const CopyStep& copy, const Differences& found) const {
  auto id = at.record().step_id;
  if (!step_.tables.empty() && id != 0) id = act_of_table(at.session, id, copy.to);
  const auto quarantined = id == 0 ? 0 : ledger::step_counts(at.session, id).quarantined;
  const auto most = (quarantined > 0 ? "at most " : "") + base::format_count(quarantined);
  const auto which = step_.tables.empty() ? step_.name : step_.name + ": " + job::written(copy.to);
  return {which, most + " rows missing or different", found.in_words(), found.wrong() <= quarantined};
}

void CopyKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto follow = step_.follow ? ledger::read_follow(at.session, at.record().step_id) : std::nullopt;
  if (follow && follow->is_switched) {  // both sides were compared then, and the target has gone on
    results.push_back({step_.name, "switched", "switched", true});
    return;
  }
  for (const auto& copy : copies()) {
    with_source(at.session, copy, [&](pg::Session& source) {
      const Comparison::Sides sides{source, at.session};
      results.push_back(result_of(at, copy, compare_all(sides, copy, Comparison::Surplus::kIgnored)));
    });
  }
}

void CopyKind::require_mendable(const StepAt& at) const {
  if (step_.follow || at.record().state == StepState::kDone) return;
  throw Error(ExitCode::kRefused, "copy step \"" + step_.name + "\" is not done, so nothing is mended yet",
              "run the job to its end first: it copies what is missing");
}

/// What follows is not mended: the run brings what is missing, and after the switch the target goes on.
void CopyKind::mend(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto job = ledger::find_job(at.session, at.job.name);
  if (step_.follow || !job) return prove(at, results);
  auto copies = this->copies();
  if (!step_.tables.empty()) {  // a row that is mended may refer to another one
    copies.clear();
    for (const auto place : order_of_tables(at.session, step_))
      copies.push_back(copy_of_table(step_, step_.tables[place]));
  }
  const CopyMender::Place place{job->job_id, at.record().step_id, repair_limits(at.session, at.job.tunables)};
  for (const auto& copy : copies) {
    with_source(at.session, copy, [&](pg::Session& source) {
      const Comparison::Sides sides{source, at.session};
      const auto mender = [&](Comparison& comparison) { return mender_of(sides, comparison, place); };
      results.push_back(result_of(at, copy, compare_all(sides, copy, Comparison::Surplus::kIgnored, mender)));
    });
  }
}

std::unique_ptr<Mender> CopyKind::mender_of(Comparison::Sides sides, const Comparison& comparison,
                                            const CopyMender::Place& place) const {
  auto copying = comparison.copying();
  if (step_.keep && stored_images(sides.target, place.step_id).is_there)
    copying.kept = kept_rows(sides.target, copying.to, step_, place.step_id);
  return std::make_unique<CopyMender>(sides, std::move(copying), comparison.target_hash(), place);
}

}  // namespace pgsluice::engine
