#include "kinds/purge/plan_purge.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "kinds/acts/plan_act.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/purge/drop_partition.hpp"
#include "kinds/purge/purge_acts.hpp"
#include "kinds/purge/purge_checks.hpp"
#include "lanes/batch/purge_step.hpp"
#include "lanes/statements/batch_statements.hpp"
#include "lanes/statements/block_statements.hpp"
#include "ledger/purge/repetition.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/estimate.hpp"
#include "table/purge/archive_triggers.hpp"
#include "table/range_plan.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// Measured on PostgreSQL 15, 1,000,000 rows of 112 bytes, 70 a page: one DELETE wrote 189.0 MB, of which an
// image of each page is 117.1; into an archive 144.4 MB more.
constexpr std::int64_t kWalPerRow = 72;
constexpr std::int64_t kPageBytes = 8'192;
constexpr std::int64_t kInsertRecord = 32;  // an archived row's record, without the row

/// Every page with a deleted row is imaged once after a checkpoint: assumed to happen once.
std::int64_t wal_bytes(const TableFacts& facts, std::int64_t matching, bool is_archived) {
  const auto pages = std::min<std::int64_t>(facts.table.pages, matching);
  const auto archived = static_cast<std::int64_t>(facts.storage.row_bytes) + kInsertRecord;
  return matching * (kWalPerRow + (is_archived ? archived : 0)) + pages * kPageBytes;
}

void add_estimate(const StepAt& at, const PurgeStep& step, const TableFacts& facts, const Removal& removal,
                  const WalkedTable& walked, PlannedStep& planned) {
  const auto rows = facts.table.rows_estimate;
  const auto matching =
      std::min(estimate_matching(at.session, facts.table, removal.selection.where).value_or(rows), rows);
  planned.rows_estimated = walked.boundary ? matching : rows;
  planned.wal_bytes_estimated = wal_bytes(facts, matching, removal.archive.has_value());
  const auto lanes = std::max(1, at.job.tunables.lanes);
  planned.duration_estimated =
      std::chrono::milliseconds(1'000 * planned.rows_estimated / (kLaneRowsFast * lanes));
  planned.notes.push_back("the time is that of " + base::format_count(kLaneRowsFast) +
                          " rows a second for each lane (an assumption), not counting holds");
  planned.notes.push_back("of the rows visited, about " + base::format_count(matching) +
                          " match `where` and go");
  planned.notes.push_back(
      "the space of deleted rows is used again after VACUUM" +
      std::string(step.vacuum ? ", which follows" : ": vacuum = true runs it afterwards"));
  for (const auto& reach : read_reach(at.session, removal, matching)) {
    if (reach.is_counted)
      planned.statements.push_back({reach_sql(removal, reach.referrer, matching),
                                    "ACCESS SHARE on both tables", false,
                                    "once, to count on a sample whom the rows reach"});
    const auto effect = effect_of(step, reach);
    if (!effect.text.empty())
      planned.notes.push_back((effect.is_refused ? "run will refuse: " : "") + effect.text);
  }
}

void note_surprises(pg::Session& session, const Removal& removal, PlannedStep& planned) {
  const auto& table = removal.table;
  if (const auto triggers = archive_triggers(session, removal); !triggers.empty())
    planned.notes.push_back("fires for every row archived: trigger " + listed(triggers));
  if (const auto triggers = pg::delete_triggers(session, table.oid); !triggers.empty())
    planned.notes.push_back("fires for every row deleted: trigger " + listed(triggers));
  if (table.row_security_applies)
    planned.notes.push_back("run will refuse: row security hides rows of " + table.sql() +
                            " from this role; it needs BYPASSRLS");
}

void note_partitions(const std::vector<WholePartition>& partitions, PlannedStep& planned) {
  double rows = 0;
  for (const auto& one : partitions) rows += one.rows;
  if (partitions.empty()) return;
  planned.notes.push_back(
      std::to_string(partitions.size()) + " partitions match wholly, by their bounds: they " +
      (partitions.front().archive_sql.empty() ? "are dropped" : "become part of the archive") +
      " with about " + base::format_count(static_cast<std::int64_t>(rows)) +
      " rows, and not deleted row by row");
}

void add_preparation(const Removal& removal, const WalkedTable& walked, PlannedStep& planned) {
  if (removal.archive) {
    for (const auto& sql : removal.archive->preparing)
      planned.statements.push_back(
          {sql, "ACCESS EXCLUSIVE on the archive", false, "once, before the first batch"});
  }
  if (walked.boundary)
    planned.statements.push_back({last_match_sql(removal.selection, removal.table, walked.boundary->key),
                                  "ACCESS SHARE on " + removal.table.sql(), false,
                                  "once, to find the last row that matches"});
  planned.statements.push_back({steps::explain_sql(delete_sql(removal, "false")),
                                "ROW EXCLUSIVE on " + removal.table.sql() + ", for a moment", false, "once"});
}

void plan_known_table(const StepAt& at, const PurgeStep& step, PlannedStep& planned) {
  auto& session = at.session;
  const auto facts = read_facts(session, step.table);
  const auto& table = facts.table;
  const auto removal = read_removal(session, step, table, ledger::read_as_of(session, at.record().step_id));
  const auto walked = walked_table(session, removal.selection, table, pg::RowEvent::kDelete);
  planned.walk = walk_in_words(walked);
  planned.walk_reason = walked.choice.reason;
  if (walked.choice.walk == Walk::kKeyset && !walked.boundary)
    planned.walk_reason +=
        "; " + key_reason(table, key_behind(table, walked.keyset->key()), removal.selection);
  if (removal.selection.where != step.where)
    planned.notes.push_back("`where` refers to one time, fixed when the step begins; now it would be: " +
                            removal.selection.where);
  add_estimate(at, step, facts, removal, walked, planned);
  note_surprises(session, removal, planned);
  const auto sql = purging_sql(removal, walked.swallowers);
  const auto limits =
      batch_limits(at.job.tunables.batch.target, at.job.tunables.throttle.lock_wait,
                   std::chrono::milliseconds{pg::deadlock_timeout_ms(session)}, sql.long_statements());
  const auto partitions = read_whole_partitions(session, removal);
  const auto acts = purge_acts(step, at.record().step_id, table.sql(), partitions);
  note_partitions(partitions, planned);
  for (const auto& one : acts) {
    if (one.dropped) add_of_act(one.act, drop_statements(*one.dropped), planned);
  }
  add_preparation(removal, walked, planned);
  for (auto& statement :
       walk_statements(table, removal.selection, walked, sql, limits, at.job.tunables.batch.rows))
    planned.statements.push_back(std::move(statement));
  for (const auto& one : acts) {
    if (one.act.kind == Act::Kind::kVacuum) plan_act(one.act, planned);
  }
}

}  // namespace

void plan_purge(const StepAt& at, const PurgeStep& step, PlannedStep& planned) {
  const auto maker = at.outlook.maker_of(step.table);
  const bool is_there =
      steps::is_existing_table(at.session, pg::Identifier(step.table.schema, step.table.name).sql());
  if (!maker.empty() && !is_there) {
    planned.notes.push_back("step \"" + maker +
                            "\" makes its table: its statements are not known before that");
    return;
  }
  try {
    plan_known_table(at, step, planned);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
    planned.notes.push_back("its table is locked, plan again later: " +
                            holders_in_words(at.session, step.table));
  } catch (const Error& e) {
    planned.notes.push_back(std::string("run will refuse: ") + e.what());
  }
}

}  // namespace pgsluice::engine
