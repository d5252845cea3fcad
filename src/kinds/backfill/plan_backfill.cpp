#include "kinds/backfill/plan_backfill.hpp"

#include "base/units.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch_statements.hpp"
#include "lanes/block_statements.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/estimate.hpp"
#include "table/images/image_size.hpp"
#include "table/range_plan.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

/// The table as it will be. Columns that earlier steps add are entered without a type, which no batch
/// statement needs.
void add_coming_columns(const BackfillStep& step, const Outlook& outlook, pg::Table& table,
                        std::vector<std::string>& notes) {
  for (const auto& column : changed_columns(step)) {
    if (table.find(column)) continue;
    const auto adder = outlook.adder_of(step.table, column);
    if (adder.empty()) continue;
    notes.push_back("step \"" + adder + "\" adds column \"" + column +
                    "\"; until then its expressions cannot be checked");
    table.columns.push_back({column, "", "", false, false});
  }
}

void note_surprises(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                    const pg::Storage& storage, std::vector<std::string>& notes) {
  for (const auto& name : volatile_functions_of(session, step)) {
    notes.push_back(
        name +
        " is volatile: each row gets its own value, and a batch that is tried again gets different ones");
  }
  if (const auto triggers = pg::fired_triggers(session, table.oid, changed_columns(step));
      !triggers.empty()) {
    notes.push_back("fires for every row changed: trigger " + listed(triggers));
  }
  if (const auto swallowers = pg::read_swallowers(session, table.oid, changed_columns(step));
      swallowers.is_any())
    notes.push_back("counts the rows that each batch selects: " + swallowers.in_words() +
                    " can leave a row unchanged; such rows are reported, and end the job with exit code 4");
  if (const auto indexes = indexes_changed(storage, step); !indexes.empty()) {
    notes.push_back("a changed column is in index " + listed(indexes) +
                    ": no update is HOT, every index gets a new entry for each row");
  }
  if (table.row_security_applies) {
    notes.push_back("run will refuse: row security hides rows of " + table.sql() +
                    " from this role; it needs BYPASSRLS");
  }
  if (!storage.is_analysed)
    notes.push_back("the table was never analysed: its rows are estimated from its size");
}

std::string rate_text(std::int64_t rows) {
  return base::format_count(rows);
}

/// Returns how many rows are expected to be changed.
std::int64_t add_estimate(pg::Session& session, int lanes, const BackfillStep& step, const TableFacts& facts,
                          Walk walk, PlannedStep& planned) {
  const auto& table = facts.table;
  const auto matching = estimate_matching(session, table, step.where);
  const auto changed = std::min(matching.value_or(table.rows_estimate), table.rows_estimate);
  auto estimate = estimate_backfill(facts.storage, table.rows_estimate, changed, lanes);
  if (walk == Walk::kInterleaved) {
    for (auto* bytes : {&estimate.wal_bytes, &estimate.room_bytes})
      *bytes = static_cast<std::int64_t>(kInterleavedShare * static_cast<double>(*bytes));
  }
  planned.rows_estimated = table.rows_estimate;
  planned.wal_bytes_estimated = estimate.wal_bytes;
  planned.duration_estimated = estimate.slowest;
  if (!step.where.empty()) {
    planned.notes.push_back("of the rows visited, about " + rate_text(changed) + " match `where`" +
                            (matching ? "" : " (not known yet: assumed to be all)"));
  }
  planned.notes.push_back("takes " + base::format_duration(estimate.fastest) + " to " +
                          base::format_duration(estimate.slowest) + ", not counting holds, if each of " +
                          std::to_string(lanes) + " lanes changes " + rate_text(kLaneRowsFast) + " to " +
                          rate_text(kLaneRowsSlow) + " rows a second (an assumption)");
  planned.notes.push_back("table and indexes grow by up to " +
                          base::format_bytes(static_cast<double>(estimate.room_bytes)) +
                          ", until vacuum frees the space");
  return changed;
}

void note_images(pg::Session& session, const Images& images, std::int64_t rows, PlannedStep& planned) {
  const auto bytes = static_cast<double>(rows * bytes_per_image(session, images));
  planned.notes.push_back("before-images take about " + base::format_bytes(bytes) + " in " +
                          images.table_sql() + ", until pgsluice drop-undo frees them");
}

void plan_known_table(pg::Session& session, const Job& job, const BackfillStep& step, std::int64_t step_id,
                      const Outlook& outlook, PlannedStep& planned) {
  auto facts = read_facts(session, step.table);
  auto& [table, storage] = facts;
  const auto walked = walked_table(session, step, table);
  planned.walk = walk_in_words(walked);
  planned.walk_reason = walked.choice.reason;
  if (walked.choice.walk == Walk::kKeyset)
    planned.walk_reason += "; " + key_reason(table, key_behind(table, walked.keyset->key()), step);
  const auto changed = add_estimate(session, job.tunables.lanes, step, facts, walked.choice.walk, planned);
  note_surprises(session, step, table, storage, planned.notes);
  add_coming_columns(step, outlook, table, planned.notes);
  try {
    steps::check_columns(table, walked.keyset ? walked.keyset->key() : std::vector<pg::Column>{}, step);
  } catch (const Error& e) {
    planned.notes.push_back(std::string("run will refuse: ") + e.what());
  }
  const auto limits = batch_limits(job.tunables.batch.target, job.tunables.throttle.lock_wait,
                                   std::chrono::milliseconds{pg::deadlock_timeout_ms(session)},
                                   walked.swallowers.is_any() ? 2 : 1);
  std::optional<Images> images;
  if (step.keep) images = images_of(session, table, step, step_id);
  if (images) note_images(session, *images, changed, planned);
  const auto sql = batch_sql(table, step, walked.swallowers, images);
  planned.statements = backfill_statements(table, step, walked, sql, limits, job.tunables.batch.rows);
}

}  // namespace

void plan_backfill(const StepAt& at, const BackfillStep& step, PlannedStep& planned) {
  auto& session = at.session;
  const auto& outlook = at.outlook;
  const auto maker = outlook.maker_of(step.table);
  const auto dropper = outlook.dropper_of(step.table);
  const bool is_there =
      steps::is_existing_table(session, pg::Identifier(step.table.schema, step.table.name).sql());
  if (!maker.empty() && (!is_there || !dropper.empty())) {
    planned.notes.push_back("step \"" + maker +
                            "\" makes its table: key and statements are not known before that");
    return;
  }
  if (maker.empty() && !dropper.empty()) {
    planned.notes.push_back("run will refuse: step \"" + dropper + "\" drops its table");
    return;
  }
  try {
    plan_known_table(session, at.job, step, at.record().step_id, outlook, planned);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
    planned.notes.push_back("its table is locked, plan again later: " +
                            holders_in_words(session, step.table));
  } catch (const Error& e) {
    planned.notes.push_back(outlook.opaque_step().empty() ? std::string("run will refuse: ") + e.what()
                                                          : std::string(e.what()) + ", unless step \"" +
                                                                outlook.opaque_step() + "\" makes it");
  }
}

}  // namespace pgsluice::engine
