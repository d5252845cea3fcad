#include "kinds/purge/purge_acts.hpp"

#include <algorithm>

#include "lanes/batch/purge_step.hpp"
#include "ledger/acts.hpp"
#include "ledger/objects.hpp"
#include "ledger/purge/repetition.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kNoted = "partition";

constexpr const char* kNameOf = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::oid
)sql";

Act act_of(std::string name, std::string part, Act::Kind kind, std::string sql) {
  Act act;
  act.name = std::move(name);
  act.part = std::move(part);
  act.kind = kind;
  if (!sql.empty()) act.sql = {std::move(sql)};
  return act;
}

void add_partition(const WholePartition& one, std::vector<PurgeAct>& acts) {
  if (one.can_be_detached_concurrently) {
    const Detaching detaching{one.oid, one.table_sql, one.parent_sql};
    acts.push_back({act_of("detach " + one.table_sql, "partition", Act::Kind::kVacuum, detach_sql(detaching)),
                    detaching});
  }
  acts.push_back({act_of("drop " + one.table_sql, "partition", Act::Kind::kDdl,
                         "DROP TABLE IF EXISTS " + one.table_sql)});
}

/// The partition as it is now called; false if it is gone.
bool look_up(pg::Session& session, const ledger::MadeObject& noted, WholePartition& out) {
  const auto state = partition_state(session, noted.table_oid);
  if (state == PartitionState::kGone) return false;
  const auto name = session.exec(kNameOf, {std::to_string(noted.table_oid)});
  if (name.empty()) return false;
  out.oid = noted.table_oid;
  out.table_sql = pg::Identifier(name.text(0, 0), name.text(0, 1)).sql();
  // The note says how it was to be dropped: directly, or detached before.
  out.can_be_detached_concurrently = noted.name.starts_with("detached from ");
  out.parent_sql = noted.name.substr(noted.name.find("from ") + 5);
  return true;
}

}  // namespace

std::vector<PurgeAct> purge_acts(const PurgeStep& step, std::int64_t step_id, const std::string& table_sql,
                                 const std::vector<WholePartition>& partitions) {
  std::vector<PurgeAct> acts;
  for (const auto& one : partitions) add_partition(one, acts);
  auto rows = act_of("delete rows of " + table_sql, "purge", Act::Kind::kPurge, "");
  rows.prepare = purging(step, step_id);
  acts.push_back({std::move(rows)});
  if (step.vacuum)
    acts.push_back(
        {act_of("vacuum " + table_sql, "vacuum", Act::Kind::kVacuum, "VACUUM (ANALYZE) " + table_sql)});
  return acts;
}

std::vector<WholePartition> settle_partitions(pg::Session& session, const PurgeStep& step,
                                              std::int64_t step_id) {
  if (ledger::read_acts(session, step_id).empty() && ledger::read_objects(session, step_id).empty()) {
    const auto as_of = ledger::fix_as_of(session, step_id);
    const auto removal = read_removal(session, step, read_facts(session, step.table).table, as_of);
    const auto found = read_whole_partitions(session, removal);
    std::vector<ledger::MadeObject> notes;
    for (const auto& one : found)
      notes.push_back(
          {kNoted, (one.can_be_detached_concurrently ? "detached from " : "dropped from ") + one.parent_sql,
           one.oid});
    pg::in_transaction(session, {}, [&] {
      ledger::note_objects(session, step_id, notes);
      return true;
    });
  }
  std::vector<WholePartition> out;
  for (const auto& noted : ledger::read_objects(session, step_id)) {
    WholePartition one;
    if (noted.kind == kNoted && look_up(session, noted, one)) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace pgsluice::engine
