#include "kinds/constraint/constraint_kind.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/acts/plan_act.hpp"
#include "kinds/acts/run_acts.hpp"
#include "kinds/constraint/constraint_acts.hpp"
#include "kinds/constraint/read_constraint.hpp"
#include "kinds/constraint/taken_back.hpp"
#include "kinds/constraint/violators.hpp"
#include "kinds/ddl/operator_act.hpp"
#include "kinds/ddl/statement_checks.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/undo_by_statements.hpp"
#include "ledger/acts.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

// The catalog is read again after the acts: what others took away in between is done again, but not for ever.
constexpr int kRoundsMost = 3;

const char* key_of(Constraint constraint) {
  switch (constraint) {
    case Constraint::kNotNull:
      return "not_null";
    case Constraint::kCheck:
      return "check";
    case Constraint::kForeignKey:
      return "foreign_key";
    case Constraint::kUnique:
      return "unique";
    case Constraint::kPrimaryKey:
      break;
  }
  return "primary_key";
}

/// Writes what is left to do below the step. What the ledger had as done before the catalog was read, and the
/// catalog has not, is done again.
std::vector<OpenedAct> open_left(pg::Session& session, const ConstraintStep& step, std::int64_t step_id,
                                 const std::vector<ledger::ActRecord>& known, std::vector<Act> acts) {
  pg::in_transaction(session, {}, [&] {
    for (const auto& one : known) {
      const bool is_asked_again = std::any_of(acts.begin(), acts.end(), [&](const auto& act) {
        return step.name + ": " + act.name == one.record.name;
      });
      if (one.is_done() && is_asked_again) ledger::forget_act(session, one.record.step_id);
    }
    return true;
  });
  return open_acts(session, step.name, step_id, std::move(acts));
}

}  // namespace

Step ConstraintKind::read(job::Section& section, std::string name) {
  return read_constraint(section, std::move(name));
}

std::vector<std::string> ConstraintKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("table", job::written(step_.table));
  lines.add("constraint", key_of(step_.constraint));
  lines.add("constraint_name", job::written(step_.constraint_name));
  for (const auto& column : step_.columns) lines.add("column", job::written(column));
  if (!step_.check.empty()) lines.add("check", step_.check);
  if (!step_.references.name.empty()) lines.add("references", job::written(step_.references));
  for (const auto& column : step_.referenced_columns) lines.add("referenced", job::written(column));
  if (!step_.on_delete.empty()) lines.add("on_delete", step_.on_delete);
  if (!step_.on_update.empty()) lines.add("on_update", step_.on_update);
  return lines.take();
}

std::string ConstraintKind::left_behind(const ledger::KnownStep& known) {
  return known.has_act_begun ? "it has begun" : StepKind::left_behind(known);
}

void ConstraintKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  if (!at.outlook.maker_of(step_.table).empty()) return;
  const auto alter = "ALTER TABLE " + pg::Identifier(step_.table.schema, step_.table.name).sql() +
                     " VALIDATE CONSTRAINT " + pg::Identifier(step_.constraint_name).sql();
  check_statement(at.session, alter, at.outlook, findings);
  const bool is_complete = std::all_of(step_.columns.begin(), step_.columns.end(), [&](const auto& column) {
    return at.outlook.adder_of(step_.table, column).empty();
  });
  if (!is_complete || !at.outlook.opaque_step().empty()) return;  // an earlier step makes what it is about
  if (step_.constraint == Constraint::kForeignKey && !at.outlook.maker_of(step_.references).empty()) return;
  try {
    refuse_other_constraint(step_, read_constraint_facts(at.session, step_));
  } catch (const Error& error) {
    findings.refuse("constraint", error);
  }
}

void ConstraintKind::plan(const StepAt& at, PlannedStep& planned) const try {
  const auto facts = read_constraint_facts(at.session, step_);
  refuse_other_constraint(step_, facts);
  const auto acts = constraint_acts(step_, facts);
  if (acts.empty())
    planned.notes.push_back("constraint " + pg::Identifier(step_.constraint_name).sql() +
                            " is there and proved: nothing is sent");
  if (!is_proved(step_, facts)) planned.notes.push_back("reads the table first, for rows that break it");
  for (const auto& act : acts) plan_act(act, planned);
  planned.rows_estimated = facts.table.rows_estimate;
} catch (const Error& error) {
  const auto maker = at.outlook.maker_of(step_.table);
  planned.notes.push_back(
      maker.empty()
          ? std::string("its acts are known once its table is as an earlier step makes it: ") + error.what()
          : "step \"" + maker + "\" makes the table: its acts are known then");
}

asio::awaitable<void> ConstraintKind::run(RunningStep& step) const {
  const Story story = [&] { return add(step); };
  co_await run_told(step, story);
}

asio::awaitable<ConstraintKind::Seen> ConstraintKind::look(RunningStep& step) const {
  std::function<Seen(pg::Session&)> look = [constraint = step_, id = step.record.step_id](pg::Session& s) {
    Seen seen;
    seen.acts = ledger::read_acts(s, id);
    seen.facts = read_constraint_facts(s, constraint);
    refuse_other_constraint(constraint, seen.facts);
    return seen;
  };
  return keep_trying<Seen>(step.connection, std::move(look), step.journal, step.stop);
}

asio::awaitable<void> ConstraintKind::add(RunningStep& step) const {
  step.journal.write(event::StepStarted{step_.name, step.record.kind, !step.record.detail.empty(), 0});
  // Held from the first look on: of two runs, the later one would do again what the earlier one has just
  // done, because a helper that has served is gone from the catalog.
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  for (int round = 1; !step.stop.is_requested(); ++round) {
    const auto seen = co_await look(step);
    const auto acts = constraint_acts(step_, seen.facts);
    if (acts.empty()) break;
    if (round > kRoundsMost)
      throw Error(ExitCode::kFailed, "step \"" + step_.name + "\": what it made was taken away again",
                  "look for what drops " + pg::Identifier(step_.constraint_name).sql() + ", then run again");
    if (!is_proved(step_, seen.facts)) co_await refuse_violators(step, step_, seen.facts);
    if (step.stop.is_requested()) co_return;
    std::function<std::vector<OpenedAct>(pg::Session&)> open = [=, constraint = step_,
                                                                id = step.record.step_id](pg::Session& s) {
      return open_left(s, constraint, id, seen.acts, acts);
    };
    auto opened =
        co_await keep_trying<std::vector<OpenedAct>>(step.connection, open, step.journal, step.stop);
    co_await run_acts(step, std::move(opened));
    step.states.show(step_.name, step.record.kind);
  }
  if (!step.stop.is_requested()) co_await mark_done(step, step.connection, range->token);
}

std::optional<std::string> ConstraintKind::standing(pg::Session& /*session*/, const Job& /*job*/) const {
  return "acts of step \"" + step_.name + "\" that are done stand";
}

Undo ConstraintKind::undo_planned(const StepAt& /*at*/) const {
  const bool is_not_null = step_.constraint == Constraint::kNotNull;
  const auto what = is_not_null ? "NOT NULL of column " + pg::Identifier(step_.columns.front()).sql()
                                : "constraint " + pg::Identifier(step_.constraint_name).sql();
  return {true, what + " is dropped if this job made it"};
}

void ConstraintKind::survey(const StepAt& at, const Traces& /*traces*/, RollbackAct& act,
                            RollbackSurvey& survey) const {
  take_back_what_is_ours(at, step_, act, survey);
}

std::vector<std::string> ConstraintKind::undoing_in_words(const RollbackAct& act,
                                                          const std::string& /*detail*/) const {
  auto lines = act.down;
  if (!act.index_sql.empty()) lines.push_back("index " + act.index_sql + " is dropped");
  return lines;
}

void ConstraintKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  undo_by_statements(act, job, step_.name, undo);
}

}  // namespace pgsluice::engine
