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
// Of a partition that goes to the archive: one that is detached has no bounds any more.
constexpr const char* kNotedBounds = "partition bounds";

Act act_of(std::string name, std::string part, Act::Kind kind, std::string sql) {
  Act act;
  act.name = std::move(name);
  act.part = std::move(part);
  act.kind = kind;
  if (!sql.empty()) act.sql = {std::move(sql)};
  return act;
}

}  // namespace

std::vector<PurgeAct> purge_acts(const PurgeStep& step, std::int64_t step_id, const std::string& table_sql,
                                 const std::vector<WholePartition>& partitions) {
  std::vector<PurgeAct> acts;
  for (const auto& one : partitions)
    acts.push_back(
        {act_of((one.archive_sql.empty() ? "drop partition " : "archive partition ") + one.table_sql,
                "partition", Act::Kind::kDdl, ""),
         one});
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
  const auto as_of = ledger::fix_as_of(session, step_id);
  const auto removal = read_removal(session, step, read_facts(session, step.table).table, as_of);
  if (ledger::read_acts(session, step_id).empty() && ledger::read_objects(session, step_id).empty()) {
    std::vector<ledger::MadeObject> notes;
    for (const auto& one : read_whole_partitions(session, removal)) {
      if (!is_taken(session, one)) continue;
      notes.push_back({kNoted, one.table_sql, one.oid});
      if (!one.archive_sql.empty()) notes.push_back({kNotedBounds, one.bounds, one.oid});
    }
    pg::in_transaction(session, {}, [&] {
      ledger::note_objects(session, step_id, notes);
      return true;
    });
  }
  std::vector<WholePartition> out;
  const auto all = ledger::read_objects(session, step_id);
  for (const auto& noted : all) {
    const auto bounds = std::find_if(all.begin(), all.end(), [&](const ledger::MadeObject& other) {
      return other.kind == kNotedBounds && other.table_oid == noted.table_oid;
    });
    auto one = known_partition(session, removal, noted.table_oid, bounds == all.end() ? "" : bounds->name);
    // One that was given another name was given another purpose.
    if (noted.kind == kNoted && one.oid != 0 && one.table_sql == noted.name) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace pgsluice::engine
