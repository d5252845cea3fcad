#include "kinds/backfill/plan_backfill.hpp"

#include "base/units.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/backfill_step.hpp"
#include "lanes/foretelling/forecast.hpp"
#include "lanes/foretelling/sampling.hpp"
#include "lanes/statements/batch_statements.hpp"
#include "lanes/statements/block_statements.hpp"
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

/// By the catalog alone: with the assumptions that it rests on.
void note_assumptions(const Foretold& foretold, int lanes, std::vector<std::string>& notes) {
  const auto duration = [](double s) {
    return base::format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(s * 1e3)));
  };
  notes.push_back("takes " + duration(foretold.seconds.low) + " to " + duration(foretold.seconds.high) +
                  ", not counting holds, if each of " + std::to_string(lanes) + " lanes changes " +
                  base::format_count(kLaneRowsFast) + " to " + base::format_count(kLaneRowsSlow) +
                  " rows a second (an assumption)");
  notes.push_back("table and indexes grow by up to " +
                  base::format_bytes(foretold.heap_bytes.high + foretold.index_bytes.high) +
                  ", until vacuum frees the space");
}

void note_images(pg::Session& session, const Images& images, std::int64_t rows, PlannedStep& planned) {
  const auto bytes = static_cast<double>(rows * bytes_per_image(session, images));
  planned.notes.push_back("before-images take about " + base::format_bytes(bytes) + " in " +
                          images.table_sql() + ", until pgsluice drop-undo frees them");
}

/// Batches that are rolled back leave dead rows: whoever reads the plan shall know.
void note_samples(std::vector<std::string>& notes) {
  notes.push_back("small batches were run and rolled back, in at most " + base::duration_text(kSamplingMost) +
                  "; they leave up to " + base::format_count(kRowsTouchedMost) +
                  " dead rows until vacuum (plan --no-sample writes nothing)");
}

/// A plan creates no table for before-images: they are foretold apart.
BackfillStep without_images(BackfillStep step) {
  step.keep = false;
  return step;
}

Foretold foretold_of(const StepAt& at, const BackfillStep& step, const TableFacts& facts, Walk walk) {
  const int lanes = at.job.tunables.lanes;
  std::string why = "no batch was to be sampled";
  if (at.sampled_at) {
    try {
      const auto prepared = prepare_backfill(at.session, without_images(step), 0, lanes);
      return foretell(at.session, prepared, {*at.sampled_at, "pgsluice plan samples", at.job.tunables});
    } catch (const Error& e) {
      why = std::string("batches cannot run yet: ") + e.what();
    }
  }
  const auto& table = facts.table;
  const auto matching = estimate_matching(at.session, table, step.where);
  const auto changed = std::min(matching.value_or(table.rows_estimate), table.rows_estimate);
  const auto estimate =
      walk_estimate(estimate_backfill(facts.storage, table.rows_estimate, changed, lanes), walk);
  return forecast_by_catalog(estimate, static_cast<double>(changed), why);
}

void add_estimate(const StepAt& at, const BackfillStep& step, const TableFacts& facts, Walk walk,
                  PlannedStep& planned) {
  auto foretold = foretold_of(at, step, facts, walk);
  planned.rows_estimated = facts.table.rows_estimate;
  planned.wal_bytes_estimated = static_cast<std::int64_t>(foretold.wal_bytes.likely);
  planned.duration_estimated =
      std::chrono::milliseconds(static_cast<std::int64_t>(foretold.seconds.likely * 1e3));
  if (!step.where.empty())
    planned.notes.push_back("of the rows visited, about " +
                            base::format_count(static_cast<std::int64_t>(foretold.rows.likely)) +
                            " match `where`");
  if (foretold.is_sampled)
    note_samples(planned.notes);
  else
    note_assumptions(foretold, at.job.tunables.lanes, planned.notes);
  planned.foretold = std::move(foretold);
}

void plan_known_table(const StepAt& at, const BackfillStep& step, PlannedStep& planned) {
  auto& session = at.session;
  const auto& job = at.job;
  auto facts = read_facts(session, step.table);
  auto& [table, storage] = facts;
  const auto walked = walked_table(session, step, table);
  planned.walk = walk_in_words(walked);
  planned.walk_reason = walked.choice.reason;
  if (walked.choice.walk == Walk::kKeyset)
    planned.walk_reason += "; " + key_reason(table, key_behind(table, walked.keyset->key()), step);
  add_estimate(at, step, facts, walked.choice.walk, planned);
  note_surprises(session, step, table, storage, planned.notes);
  add_coming_columns(step, at.outlook, table, planned.notes);
  try {
    steps::check_columns(table, walked.keyset ? walked.keyset->key() : std::vector<pg::Column>{}, step);
  } catch (const Error& e) {
    planned.notes.push_back(std::string("run will refuse: ") + e.what());
  }
  const auto limits = batch_limits(job.tunables.batch.target, job.tunables.throttle.lock_wait,
                                   std::chrono::milliseconds{pg::deadlock_timeout_ms(session)},
                                   walked.swallowers.is_any() ? 2 : 1);
  std::optional<Images> images;
  if (step.keep) images = images_of(session, table, step, at.record().step_id);
  if (images && planned.foretold)
    note_images(session, *images, static_cast<std::int64_t>(planned.foretold->rows.likely), planned);
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
    plan_known_table(at, step, planned);
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
