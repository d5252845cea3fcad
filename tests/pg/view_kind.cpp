#include "pg/view_kind.hpp"

#include "kinds/ddl/operator_act.hpp"
#include "kinds/ddl/run_ddl.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

Step ViewKind::read(job::Section& section, std::string name) {
  section.require("query", "write query = \"SELECT …\"");
  return ViewStep{std::move(name), section.text("query").value_or("")};
}

std::vector<std::string> ViewKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("query", step_.query);
  return lines.take();
}

steps::DdlStatement ViewKind::statement() const {
  return {
      "CREATE VIEW " + pg::Identifier("", step_.name).sql() + " AS " + step_.query, "", "ACCESS SHARE", {}};
}

std::string ViewKind::drop_sql() const {
  return "DROP VIEW " + pg::Identifier("", step_.name).sql();
}

void ViewKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  if (at.record().state == StepState::kRunning) return;  // a run that died behind its commit has made it
  if (at.session.exec("SELECT pg_catalog.to_regclass($1)", {step_.name}).is_null(0, 0)) return;
  findings.refuse("view", "the name " + step_.name + " is taken", "give the step another name");
}

boost::asio::awaitable<void> ViewKind::run(RunningStep& step) const {
  const Story story = [&] {
    std::vector<steps::DdlStatement> statements{statement()};
    return run_ddl(step, std::move(statements));
  };
  co_await run_told(step, story);
}

void ViewKind::plan(const StepAt& /*at*/, PlannedStep& planned) const {
  for (const auto& sql : steps::ddl_texts(statement())) planned.statements.push_back({sql, statement().lock});
}

Undo ViewKind::undo_planned(const StepAt& /*at*/) const {
  return {true, drop_sql()};
}

void ViewKind::survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                      RollbackSurvey& /*survey*/) const {
  if (traces.is_applied(at.place)) act.down = {drop_sql()};
}

void ViewKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  for (const auto& sql : undo.down) act.session().exec(sql);
  StepKind::take_back(act, job, undo);
}

void ViewKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto rows = at.session.exec("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {step_.name});
  const std::string found = rows.boolean(0, 0) ? "there" : "missing";
  results.push_back({step_.name, "there", found, found == "there"});
}

}  // namespace pgsluice::engine
