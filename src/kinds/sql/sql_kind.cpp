#include "kinds/sql/sql_kind.hpp"

#include "job/read/sql_texts.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/statement_checks.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/undo_by_statements.hpp"
#include "kinds/sql/found_done.hpp"
#include "kinds/sql/plan_sql.hpp"

namespace pgsluice::engine {

Step SqlKind::read(job::Section& section, std::string name) {
  SqlStep step{std::move(name), {}, {}};
  section.require("up", "write up = \"ALTER TABLE …\"");
  step.up = job::read_statements(section, "up");
  step.down = job::read_statements(section, "down");
  job::refuse_empty(section, "up", "write up = \"ALTER TABLE …\"");
  job::refuse_empty(section, "down", "leave down out if the step cannot be undone");
  return step;
}

// `down` is left out: if it turns out to be wrong it has not run yet, and must be correctable.
std::vector<std::string> SqlKind::definition() const {
  DefinitionLines lines(step_);
  for (const std::string& statement : step_.up) lines.add("up", statement);
  return lines.take();
}

void SqlKind::foresee(Outlook& outlook) const {
  for (const auto& statement : step_.up) outlook.add(step_.name, statement);
}

void SqlKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  for (const auto& sql : step_.up) check_statement(at.session, sql, at.outlook, findings);
  const auto existing = foresee_existing(at, step_);
  for (std::size_t i = 0; i < existing.size(); ++i) {
    if (existing[i].existing == Existing::kAll)
      findings.inform("objects that are there",
                      "step \"" + step_.name + "\": " + taken_as_done(i, existing[i]));
    if (existing[i].existing == Existing::kOther)
      findings.refuse("objects that are there", refused_because(step_.name, i, existing[i]), kHintOther);
  }
  foresee(at.outlook);
}

void SqlKind::plan(const StepAt& at, PlannedStep& planned) const {
  const auto existing = foresee_existing(at, step_);
  plan_sql(at.session, step_, at.outlook, planned);
  for (std::size_t i = 0; i < existing.size(); ++i) {
    if (existing[i].existing == Existing::kAll) planned.notes.push_back(taken_as_done(i, existing[i]));
    if (existing[i].existing == Existing::kOther)
      planned.notes.push_back(refused_because(step_.name, i, existing[i]));
  }
}

boost::asio::awaitable<void> SqlKind::run(RunningStep& step) const {
  const Story story = [&] { return run_recognising(step, step_); };
  co_await run_told(step, story);
}

Undo SqlKind::undo_planned(const StepAt& /*at*/) const {
  if (step_.down.empty()) return {false, "it has no `down`"};
  std::string text;
  for (const auto& statement : ddl_statements(step_.down)) {
    for (const auto& sql : steps::ddl_texts(statement)) text += (text.empty() ? "" : ";\n") + sql;
  }
  return {true, text};
}

void SqlKind::survey(const StepAt& /*at*/, const Traces& traces, RollbackAct& act,
                     RollbackSurvey& survey) const {
  if (!traces.is_applied(act.place)) return;  // one transaction, which did not commit
  const auto found = FoundDone::of_detail(traces.at(act.place).detail);
  if (found.is_all) {
    survey.remarks.push_back("sql step \"" + step_.name +
                             "\" has made nothing, so nothing of it is undone: " + found.words +
                             " was there before and stays");
    return;
  }
  if (!found.words.empty())
    survey.remarks.push_back("sql step \"" + step_.name + "\" found " + found.words +
                             " there, and its `down` is sent all the same");
  if (step_.down.empty()) survey.obstacles.push_back("sql step \"" + step_.name + "\" has no `down`");
  act.down = step_.down;
}

std::vector<std::string> SqlKind::down(const std::string& detail) const {
  return FoundDone::of_detail(detail).is_all ? std::vector<std::string>{} : step_.down;
}

std::vector<std::string> SqlKind::undoing_in_words(const RollbackAct& act,
                                                   const std::string& /*detail*/) const {
  return act.down;
}

void SqlKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  undo_by_statements(act, job, step_.name, undo);
}

}  // namespace pgsluice::engine
