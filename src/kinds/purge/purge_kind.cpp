#include "kinds/purge/purge_kind.hpp"

#include "base/units.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/acts/run_acts.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/one_value.hpp"
#include "kinds/purge/drop_partition.hpp"
#include "kinds/purge/plan_purge.hpp"
#include "kinds/purge/purge_acts.hpp"
#include "kinds/purge/purge_checks.hpp"
#include "kinds/purge/read_purge.hpp"
#include "kinds/purge/space_left.hpp"
#include "lanes/batch/purge_step.hpp"
#include "ledger/overview.hpp"
#include "ledger/purge/repetition.hpp"
#include "pg/identifier.hpp"
#include "table/table_facts.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

std::string table_sql(const PurgeStep& step) {
  return pg::Identifier(step.table.schema, step.table.name).sql();
}

std::int64_t rows_deleted(const StepAt& at) {
  return at.record().step_id == 0 ? 0 : ledger::step_counts(at.session, at.record().step_id).changed;
}

/// An act of the purge and its record in the ledger.
struct OpenedPurgeAct {
  OpenedAct opened;
  std::optional<WholePartition> dropped;
};

std::vector<OpenedPurgeAct> open_purge(pg::Session& session, const PurgeStep& purge, std::int64_t step_id) {
  const auto table = read_facts(session, purge.table).table.sql();
  const auto acts = purge_acts(purge, step_id, table, settle_partitions(session, purge, step_id));
  std::vector<Act> plain;
  for (const auto& one : acts) plain.push_back(one.act);
  auto opened = open_acts(session, purge.name, step_id, std::move(plain));
  std::vector<OpenedPurgeAct> out;
  for (std::size_t i = 0; i < acts.size(); ++i) out.push_back({std::move(opened[i]), acts[i].dropped});
  return out;
}

asio::awaitable<void> drop_partition(RunningStep step, WholePartition partition) {
  const Story story = [&] { return run_drop_partition(step, partition); };
  co_await run_told(step, story);
}

/// A table that is locked is left alone: the remark is not worth a wait.
SpaceAdvice look_at_space(pg::Session& session, const PurgeStep& purge, std::int64_t step_id) try {
  auto facts = read_facts(session, purge.table);
  const auto rows = count_rows(session, facts.table);
  const auto deleted = ledger::step_counts(session, step_id).changed;
  return space_advice({facts.table.sql(), deleted, rows, std::move(facts.storage), purge.vacuum});
} catch (const pg::Failure& f) {
  if (f.is_connection_lost()) throw;
  return {};
}

asio::awaitable<void> advise(RunningStep& step, PurgeStep purge) {
  std::function<SpaceAdvice(pg::Session&)> look = [purge, id = step.record.step_id](pg::Session& s) {
    return look_at_space(s, purge, id);
  };
  const auto advice = co_await keep_trying<SpaceAdvice>(step.connection, look, step.journal, step.stop);
  if (!advice.text.empty()) step.journal.warn(advice.text, advice.hint);
}

asio::awaitable<void> run_purge(RunningStep& step, PurgeStep purge) {
  step.journal.write(
      event::StepStarted{purge.name, step.record.kind, step.record.state == StepState::kRunning, 0});
  std::function<std::vector<OpenedPurgeAct>(pg::Session&)> open =
      [purge, id = step.record.step_id](pg::Session& s) { return open_purge(s, purge, id); };
  auto acts =
      co_await keep_trying<std::vector<OpenedPurgeAct>>(step.connection, open, step.journal, step.stop);
  std::vector<OpenedAct> others;
  for (auto& act : acts) {
    if (!act.dropped) {
      others.push_back(std::move(act.opened));
      continue;
    }
    co_await step.gate.pass_pause(step.stop);
    if (step.stop.is_requested()) co_return;
    if (act.opened.record.state == StepState::kDone) continue;
    RunningStep one = step;
    one.record = act.opened.record;
    WholePartition partition = *act.dropped;
    co_await drop_partition(std::move(one), std::move(partition));
  }
  if (step.stop.is_requested()) co_return;
  co_await run_acts(step, std::move(others));
  if (!step.stop.is_requested()) co_await advise(step, purge);
  step.states.show(purge.name, step.record.kind);
}

}  // namespace

Step PurgeKind::read(job::Section& section, std::string name) {
  return read_purge(section, std::move(name));
}

std::vector<std::string> PurgeKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("table", job::written(step_.table));
  for (const auto& column : step_.key) lines.add("key", job::written(column));
  lines.add("where", step_.where);
  if (step_.archive_to) lines.add("archive_to", job::written(*step_.archive_to));
  for (const auto& table : step_.with) lines.add("with", job::written(table));
  return lines.take();
}

std::string PurgeKind::left_behind(const ledger::KnownStep& known) {
  return known.has_act_begun ? "it has deleted rows" : StepKind::left_behind(known);
}

void PurgeKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  check_purge(at, step_, findings);
}

void PurgeKind::plan(const StepAt& at, PlannedStep& planned) const {
  plan_purge(at, step_, planned);
}

asio::awaitable<void> PurgeKind::run(RunningStep& step) const {
  const Story story = [&] { return run_purge(step, step_); };
  co_await run_told(step, story);
}

std::optional<std::string> PurgeKind::standing(pg::Session& /*session*/, const Job& /*job*/) const {
  return "rows that step \"" + step_.name + "\" has deleted stay deleted";
}

Undo PurgeKind::undo_planned(const StepAt& /*at*/) const {
  if (step_.archive_to)
    return {false, "deleted rows are not put back; they are in archive " + job::written(*step_.archive_to)};
  return {false, "deleted rows are gone: archive_to keeps them in another table"};
}

void PurgeKind::survey(const StepAt& at, const Traces& /*traces*/, RollbackAct& /*act*/,
                       RollbackSurvey& survey) const {
  const auto rows = rows_deleted(at);
  if (rows == 0) return;
  survey.obstacles.push_back(
      "purge step \"" + step_.name + "\" has deleted " + base::format_count(rows) + " rows" +
      (step_.archive_to ? ", which are in archive " + job::written(*step_.archive_to) : ", which are gone"));
}

void PurgeKind::prove(const StepAt& at, std::vector<VerifyResult>& results) const {
  const auto id = at.record().step_id;
  const auto quarantined = id == 0 ? 0 : ledger::step_counts(at.session, id).quarantined;
  const auto where = selection_of(step_, ledger::read_as_of(at.session, id)).where;
  const auto query = "SELECT count(*) FROM " + table_sql(step_) + " WHERE (" + where + "\n)";
  VerifyResult result{step_.name, quarantined == 0 ? "0" : "at most " + std::to_string(quarantined), "",
                      false};
  result.actual = steps::verify_value(at.session, step_.name, query);
  result.matches = std::stoll(result.actual) <= quarantined;
  results.push_back(std::move(result));
}

}  // namespace pgsluice::engine
