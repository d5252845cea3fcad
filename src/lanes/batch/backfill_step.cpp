#include "lanes/batch/backfill_step.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "lanes/batch/at_rows.hpp"
#include "ledger/range/split.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/block_ranges.hpp"
#include "table/copy/copying.hpp"
#include "table/table_facts.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// Quantiles from 300 pages are off by about 6 % of the table; reading them takes some 30 ms from a cold disk.
constexpr double kSamplePages = 300;
// More ranges than lanes, so that a lane that finishes its range finds another one before it has to split.
constexpr int kRangesPerLane = 4;
// A range below this many rows costs more to lease than it saves.
constexpr std::int64_t kRowsPerRangeMin = 2'000;
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{60'000}, true};

/// Rows that may be there already, or are remembered, are written in two statements: into a stage, and from
/// there.
int long_statements_of(const Copying& copying) {
  return copying.on_conflict == OnConflict::kError && !copying.kept ? 1 : 2;
}

/// Where the step's before-images go, created if they are wanted; nullopt: it keeps none.
std::optional<Images> kept_images(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                                  std::int64_t step_id) {
  if (!step.keep) return std::nullopt;
  const auto images = images_of(session, table, step, step_id);
  create_images(session, images, step.keep_for);
  return images;
}

}  // namespace

void share_out(const pg::Table& table, std::vector<pg::HeapFacts>& heaps) {
  std::int64_t pages = 0;
  for (const auto& heap : heaps) pages += heap.pages;
  for (auto& heap : heaps) {
    const auto share =
        static_cast<double>(heap.pages) / static_cast<double>(std::max<std::int64_t>(1, pages));
    heap.rows = static_cast<double>(table.rows_estimate) * share;
  }
}

std::int64_t count_rows(pg::Session& session, const pg::Table& table) {
  try {
    return pg::in_transaction(session, kSampleLimits, [&] {
      return pg::counted_rows(session, table.sql(), sample_percent(table.pages));
    });
  } catch (const pg::Failure& f) {
    const bool is_locked =
        f.sqlstate() ==
        pg::kLockNotAvailable;  // the later statements that wait for the table report it and try again
    if (f.is_connection_lost() || is_locked) throw;
    return table.rows_estimate;
  }
}

double sample_percent(std::int64_t pages) {
  return std::min(100.0, 100.0 * kSamplePages / static_cast<double>(std::max<std::int64_t>(pages, 1)));
}

int PreparedBackfill::long_statements() const {
  return copying ? long_statements_of(*copying) : sql.long_statements();
}

bool PreparedBackfill::may_be_split() const {
  return !copying || !copying->source;
}

const pg::HeapFacts* PreparedBackfill::heap_of(const walk::Heap& heap) const {
  const auto found =
      std::find_if(heaps.begin(), heaps.end(), [&](const pg::HeapFacts& h) { return h.oid == heap.oid; });
  return found == heaps.end() ? nullptr : &*found;
}

PreparedBackfill prepare_backfill(pg::Session& session, const BackfillStep& step, std::int64_t step_id,
                                  int lanes) {
  auto table = read_facts(session, step.table).table;  // never waits long for a lock
  auto walked = walked_table(session, step, table);
  steps::check_columns(table, walked.keyset ? walked.keyset->key() : std::vector<pg::Column>{}, step);
  steps::explain(session, steps::update_sql(table, step, "false"));
  PreparedBackfill prepared;
  prepared.step_id = step_id;
  prepared.definition = step;
  prepared.keyset = std::move(walked.keyset);
  prepared.heaps = std::move(walked.heaps);
  prepared.choice = std::move(walked.choice);
  prepared.ground = {walked.rows_per_page, pg::cache_pages(session), lanes, prepared.choice.is_horizon_held};
  prepared.swallowers = std::move(walked.swallowers);
  prepared.sql = batch_sql(table, step, prepared.swallowers, kept_images(session, table, step, step_id));
  if (step.keep) steps::explain(session, prepared.sql.update("false"));
  prepared.deadlock_timeout = std::chrono::milliseconds{pg::deadlock_timeout_ms(session)};
  prepared.table = std::move(table);
  prepared.table.rows_estimate = count_rows(session, prepared.table);
  share_out(prepared.table, prepared.heaps);
  return prepared;
}

std::vector<ledger::NewRange> key_ranges(pg::Session& session, const PreparedBackfill& step, int lanes) {
  if (step.boundary && !step.boundary->end) return {};  // no row matches
  const std::int64_t rows = step.table.rows_estimate;
  const auto end = step.boundary ? step.boundary->end : std::nullopt;
  const auto parts =
      static_cast<int>(std::clamp<std::int64_t>(rows / kRowsPerRangeMin, 1, lanes * kRangesPerLane));
  std::vector<ledger::NewRange> ranges;
  std::optional<pg::Key> lower;
  if (parts > 1) {
    const auto sample = step.keyset->sample(std::nullopt, end, parts, sample_percent(step.table.pages));
    const auto keys = at_rows(session, step, [&](pg::Session& there) {
      return pg::in_transaction(there, kSampleLimits, [&] { return there.exec(sample.sql, sample.params); });
    });
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto upper = step.keyset->read_key(keys, i);
      ranges.push_back({lower, upper, rows / parts});
      lower = std::move(upper);
    }
  }
  ranges.push_back(
      {lower, end,
       std::max<std::int64_t>(0, rows - static_cast<std::int64_t>(ranges.size()) * (rows / parts))});
  return ranges;
}

void cut_into_ranges(pg::Session& session, const PreparedBackfill& step, int lanes) {
  const auto ranges =
      step.choice.walk == Walk::kKeyset ? key_ranges(session, step, lanes) : block_ranges(step.heaps, lanes);
  base::failpoint("before_cut");
  ledger::cut(session, step.step_id, step.table.rows_estimate, ranges);
  base::failpoint("after_cut");
}

}  // namespace pgsluice::engine
