#include "kinds/acts/plan_act.hpp"

#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/plan_ddl.hpp"

namespace pgsluice::engine {

void add_of_act(const Act& act, std::vector<PlannedStatement> statements, PlannedStep& planned) {
  for (auto& statement : statements) {
    statement.when = act.part + ": " + act.name + (statement.when.empty() ? "" : ", " + statement.when);
    planned.statements.push_back(std::move(statement));
  }
}

void plan_act(const Act& act, PlannedStep& planned) {
  switch (act.kind) {
    case Act::Kind::kDdl:
      for (const auto& statement : ddl_statements(act.sql)) {
        const auto analysed = job::analyse_statement(statement.sql);
        add_of_act(act, planned_ddl(statement, std::get_if<job::StatementFacts>(&analysed)), planned);
      }
      return;
    case Act::Kind::kIndex:
    case Act::Kind::kVacuum:
      return add_of_act(act, {{act.sql.front(), "SHARE UPDATE EXCLUSIVE, no lock_timeout"}}, planned);
    case Act::Kind::kFence:
      planned.notes.push_back(act.name);
      return;
    case Act::Kind::kFill:
    case Act::Kind::kCopy:
    case Act::Kind::kPurge:
      return;
  }
}

}  // namespace pgsluice::engine
