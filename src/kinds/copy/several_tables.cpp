#include "kinds/copy/several_tables.hpp"

#include "job/sql/table_name.hpp"
#include "kinds/acts/run_acts.hpp"
#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/follow/foresee_follow.hpp"
#include "kinds/copy/plan_copy.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/acts.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/table_order.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

std::string act_name(const TableName& table) {
  return "copy " + job::written(table);
}

std::vector<OpenedAct> open_tables(pg::Session& session, const CopyStep& step, std::int64_t step_id) {
  std::vector<Act> acts;
  for (const auto place : order_of_tables(session, step)) {
    const auto& table = step.tables[place];
    Act act;
    act.name = act_name(table);
    act.part = "copy";
    act.kind = Act::Kind::kCopy;
    act.prepare = copying_of(copy_of_table(step, table));
    acts.push_back(std::move(act));
  }
  return open_acts(session, step.name, step_id, std::move(acts));
}

}  // namespace

asio::awaitable<void> run_tables(RunningStep& step, CopyStep copy) {
  step.journal.write(
      event::StepStarted{copy.name, step.record.kind, step.record.state == StepState::kRunning, 0});
  std::function<std::vector<OpenedAct>(pg::Session&)> open =
      [copy, id = step.record.step_id](pg::Session& s) { return open_tables(s, copy, id); };
  auto acts = co_await keep_trying<std::vector<OpenedAct>>(step.connection, open, step.journal, step.stop);
  for (auto& opened : acts) {  // given together, they would run side by side
    std::vector<OpenedAct> one{std::move(opened)};
    co_await run_acts(step, std::move(one));
    if (step.stop.is_requested()) co_return;
  }
  step.states.show(copy.name, step.record.kind);
}

void check_tables(const StepAt& at, const CopyStep& step, Findings& findings) {
  try {
    for (const auto place : order_of_tables(at.session, step))
      check_copy_step(at, copy_of_table(step, step.tables[place]), findings);
  } catch (const Error& e) {
    findings.refuse("tables", e.what(), e.hint(), e.code());
  }
}

void plan_tables(const StepAt& at, const CopyStep& step, PlannedStep& planned) {
  bool is_known = true;  // every table is there already
  try {
    for (const auto place : order_of_tables(at.session, step)) {
      const auto& table = step.tables[place];
      auto copy = copy_of_table(step, table);
      copy.follow = false;  // that is planned for all of them together
      is_known = is_known && made_before(at, copy).empty();
      PlannedStep one;
      plan_copy(at, copy, one);
      planned.notes.push_back("table " + job::written(table) + ":");
      planned.notes.insert(planned.notes.end(), one.notes.begin(), one.notes.end());
      planned.statements.insert(planned.statements.end(), one.statements.begin(), one.statements.end());
      planned.rows_estimated += one.rows_estimated;
      planned.walk = one.walk.empty() ? planned.walk : "keyset along each table's key, of the source";
      planned.walk_reason = one.walk.empty() ? planned.walk_reason : one.walk_reason;
    }
    if (step.follow && is_known)
      with_source(at.session, step, [&](pg::Session& source) {
        plan_follow({source, at.session, at.job.name, at.record().step_id}, step, planned);
      });
  } catch (const SourceFailure& f) {
    planned.notes.push_back(std::string("run will wait, and give up: ") + f.what());
  } catch (const Error& e) {
    planned.notes.push_back(std::string("run will refuse: ") + e.what());
  }
}

std::int64_t act_of_table(pg::Session& session, std::int64_t step_id, const TableName& table) {
  const auto suffix = ": " + act_name(table);
  for (const auto& act : ledger::read_acts(session, step_id)) {
    if (act.record.name.ends_with(suffix)) return act.record.step_id;
  }
  return 0;
}

}  // namespace pgsluice::engine
