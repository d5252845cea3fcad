#include "kinds/constraint/taken_back.hpp"

#include <algorithm>

#include "kinds/constraint/constraint_facts.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/index_build/index.hpp"
#include "ledger/acts.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

/// The acts of one step, asked by what they are called.
class DoneActs {
 public:
  DoneActs(pg::Session& session, std::int64_t step_id, std::string step)
      : acts_(ledger::read_acts(session, step_id)), step_(std::move(step)) {}

  bool has(const std::string& what, const ConstraintSide& side) const {
    const auto* act = find(what, side);
    return act != nullptr && act->is_done();
  }
  /// Its index is ours: built, or begun.
  bool has_index(const std::string& name, const ConstraintSide& side) const {
    const auto* act = find("build index " + name, side);
    return act != nullptr && !act->record.detail.empty();
  }
  bool is_empty() const { return acts_.empty(); }

 private:
  const ledger::ActRecord* find(const std::string& what, const ConstraintSide& side) const {
    const auto name = step_ + ": " + what + " of " + side.table_sql;
    const auto found =
        std::find_if(acts_.begin(), acts_.end(), [&](const auto& act) { return act.record.name == name; });
    return found == acts_.end() ? nullptr : &*found;
  }

  std::vector<ledger::ActRecord> acts_;
  std::string step_;
};

/// True: its constraint is dropped, and its index with it.
bool drop_constraint(const ConstraintStep& step, const ConstraintSide& side, const DoneActs& done,
                     bool is_whole_partitioned, RollbackAct& act, RollbackSurvey& survey) {
  if (!side.constraint) return false;
  const auto name = pg::Identifier(side.constraint_name).sql();
  if (!done.has("add " + name, side)) {
    survey.remarks.push_back("constraint " + name + " of table " + side.table_sql +
                             " was there before this job: it stays");
    return false;
  }
  const bool is_index_ours = !is_key(step) || is_whole_partitioned || done.has_index(name, side);
  if (!is_index_ours) {
    survey.obstacles.push_back("constraint " + name + " of table " + side.table_sql +
                               " uses an index that was there before this job, and would take it along");
    return false;
  }
  act.down.push_back("ALTER TABLE " + side.table_sql + " DROP CONSTRAINT IF EXISTS " + name);
  return true;
}

/// Built, and never made a constraint.
void drop_index(pg::Session& session, const ConstraintSide& side, const DoneActs& done, RollbackAct& act) {
  const auto name = pg::Identifier(side.constraint_name).sql();
  if (!done.has_index(name, side)) return;
  const auto index_sql = steps::index_in_schema_of(session, side.table_sql, side.constraint_name);
  if (act.index_sql.empty()) {
    act.index_sql = index_sql;
    act.table_sql = side.table_sql;
  } else {
    act.down.push_back("DROP INDEX IF EXISTS " + index_sql);
  }
}

/// The table that the constraint cannot be without and that somebody dropped; empty: none.
std::string gone_table(pg::Session& session, const ConstraintStep& step) {
  std::vector<TableName> needed{step.table};
  if (step.constraint == Constraint::kForeignKey) needed.push_back(step.references);
  for (const auto& table : needed) {
    const auto sql = pg::Identifier(table.schema, table.name).sql();
    if (!steps::is_existing_table(session, sql)) return sql;
  }
  return {};
}

}  // namespace

void take_back_what_is_ours(const StepAt& at, const ConstraintStep& step, RollbackAct& act,
                            RollbackSurvey& survey) {
  const DoneActs done(at.session, act.step_id, step.name);
  if (done.is_empty()) return;
  if (const auto gone = gone_table(at.session, step); !gone.empty()) {
    survey.remarks.push_back("table " + gone + " is gone, and with it what step \"" + step.name + "\" made");
    return;
  }
  const auto facts = read_constraint_facts(at.session, step);
  const bool is_whole_dropped = drop_constraint(step, facts.whole, done, !facts.leaves.empty(), act, survey);
  if (!is_whole_dropped && is_key(step)) drop_index(at.session, facts.whole, done, act);
  for (const auto& leaf : facts.leaves) {
    if (is_whole_dropped) break;  // theirs go with it
    const bool is_dropped = drop_constraint(step, leaf, done, false, act, survey);
    if (!is_dropped && is_key(step)) drop_index(at.session, leaf, done, act);
  }
  if (facts.has_helper_check)
    act.down.push_back("ALTER TABLE " + facts.whole.table_sql + " DROP CONSTRAINT IF EXISTS " +
                       pg::Identifier(helper_check(step)).sql());
  for (const auto& column : step.columns) {
    const auto quoted = pg::Identifier(column).sql();
    if (done.has("set NOT NULL on " + quoted, facts.whole))
      act.down.push_back("ALTER TABLE " + facts.whole.table_sql + " ALTER COLUMN " + quoted +
                         " DROP NOT NULL");
  }
}

}  // namespace pgsluice::engine
