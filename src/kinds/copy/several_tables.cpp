#include "kinds/copy/several_tables.hpp"

#include <algorithm>
#include <set>

#include "job/sql/table_name.hpp"
#include "kinds/acts/run_acts.hpp"
#include "kinds/copy/copy_checks.hpp"
#include "kinds/copy/plan_copy.hpp"
#include "lanes/batch/copy_step.hpp"
#include "ledger/acts.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

// Rows (referring, referenced): places in the list. A partition's copy of a foreign key stands for its
// parent's.
constexpr const char* kReferences = R"sql(
WITH named AS (SELECT pg_catalog.to_regclass(name) AS oid, place FROM unnest($1::text[]) WITH ORDINALITY AS n(name, place))
SELECT DISTINCT referring.place - 1, referenced.place - 1, k.conname
FROM named AS referring
JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid = referring.oid
JOIN named AS referenced ON referenced.oid = k.confrelid AND referenced.oid <> referring.oid
ORDER BY 1, 2
)sql";

std::string quoted(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

std::string act_name(const TableName& table) {
  return "copy " + job::written(table);
}

using Needs = std::vector<std::set<std::size_t>>;  // by place: the places of referenced tables

/// Without those that only refer to a table in the circle.
std::vector<std::size_t> in_circle(std::vector<std::size_t> left, const Needs& needs) {
  const auto is_needless = [&](std::size_t place) {
    return std::none_of(left.begin(), left.end(), [&](auto other) { return needs[other].contains(place); });
  };
  for (auto end = std::find_if(left.begin(), left.end(), is_needless); end != left.end();
       end = std::find_if(left.begin(), left.end(), is_needless))
    left.erase(end);
  return left;
}

[[noreturn]] void refuse_circle(const CopyStep& step, const std::vector<std::size_t>& circle) {
  std::string names;
  for (const auto place : circle) names += (names.empty() ? "" : ", ") + job::written(step.tables[place]);
  throw Error(ExitCode::kRefused,
              "step \"" + step.name + "\": tables " + names +
                  " refer to each other in a circle, so none of them can be copied first",
              "add one of these foreign keys after the copy, with a constraint step");
}

std::vector<OpenedAct> open_tables(pg::Session& session, const CopyStep& step, std::int64_t step_id) {
  std::vector<Act> acts;
  for (const auto& table : in_order(session, step)) {
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

CopyStep copy_of_table(const CopyStep& step, const TableName& table) {
  auto one = step;
  one.tables.clear();
  one.from = one.to = table;
  return one;
}

std::vector<TableName> in_order(pg::Session& session, const CopyStep& step) {
  const auto& tables = step.tables;
  pg::Key names;
  for (const auto& table : tables) names.push_back(quoted(table));
  const auto rows = session.exec(kReferences, {pg::to_array(names)});
  Needs needs(tables.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    needs.at(static_cast<std::size_t>(rows.integer(i, 0)))
        .insert(static_cast<std::size_t>(rows.integer(i, 1)));
  std::vector<std::size_t> left(tables.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<TableName> order;
  while (!left.empty()) {
    const auto next =
        std::find_if(left.begin(), left.end(), [&](std::size_t place) { return needs[place].empty(); });
    if (next == left.end()) refuse_circle(step, in_circle(left, needs));
    const auto place = *next;
    order.push_back(tables[place]);
    left.erase(next);
    for (auto& need : needs) need.erase(place);
  }
  return order;
}

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
    for (const auto& table : in_order(at.session, step))
      check_copy_step(at, copy_of_table(step, table), findings);
  } catch (const Error& e) {
    findings.refuse("tables", e.what(), e.hint(), e.code());
  }
}

void plan_tables(const StepAt& at, const CopyStep& step, PlannedStep& planned) {
  try {
    for (const auto& table : in_order(at.session, step)) {
      PlannedStep one;
      plan_copy(at, copy_of_table(step, table), one);
      planned.notes.push_back("table " + job::written(table) + ":");
      planned.notes.insert(planned.notes.end(), one.notes.begin(), one.notes.end());
      planned.statements.insert(planned.statements.end(), one.statements.begin(), one.statements.end());
      planned.rows_estimated += one.rows_estimated;
      planned.walk = one.walk.empty() ? planned.walk : "keyset along each table's key, of the source";
      planned.walk_reason = one.walk.empty() ? planned.walk_reason : one.walk_reason;
    }
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
