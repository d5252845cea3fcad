#include "engine/backfill_step.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "engine/table_facts.hpp"
#include "ledger/split.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "steps/backfill/update.hpp"

namespace pgsluice::engine {
namespace {

// Quantiles of 300 pages miss by about 6 % of the table; reading them takes some 30 ms from a cold disk.
constexpr double kSamplePages = 300;
// More ranges than lanes, so that a lane that runs out finds another before it has to split one.
constexpr int kRangesPerLane = 4;
// A range below this many rows costs more to lease than it saves.
constexpr std::int64_t kRowsPerRangeMin = 2'000;
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{60'000}, true};

}  // namespace

double sample_percent(std::int64_t pages) {
  return std::min(100.0, 100.0 * kSamplePages / static_cast<double>(std::max<std::int64_t>(pages, 1)));
}

PreparedBackfill prepare_backfill(pg::Session& session, const BackfillStep& step, std::int64_t step_id) {
  if (step.walk == Walk::kBlocks || step.walk == Walk::kInterleaved)
    throw Error(ExitCode::kRefused, std::string("walk \"") + walk_name(step.walk) + "\" is not available yet");
  auto table = read_facts(session, step.table).table;  // never waits long for somebody's lock
  auto key = pg::choose_key(table, step.key);
  steps::check_columns(table, key, step);
  steps::explain(session, steps::update_sql(table, step, "false"));
  walk::Keyset keyset(table.sql(), std::move(key));
  UpdateSql update = [table, step](const std::string& predicate) {
    return steps::update_sql(table, step, predicate);
  };
  const std::chrono::milliseconds deadlock_timeout{pg::deadlock_timeout_ms(session)};
  return {step_id, std::move(table), std::move(keyset), std::move(update), deadlock_timeout};
}

void cut_into_ranges(pg::Session& session, const PreparedBackfill& step, int lanes) {
  const std::int64_t rows = step.table.rows_estimate;
  const auto parts =
      static_cast<int>(std::clamp<std::int64_t>(rows / kRowsPerRangeMin, 1, lanes * kRangesPerLane));
  std::vector<ledger::NewRange> ranges;
  std::optional<pg::Key> lower;
  if (parts > 1) {
    const auto sample =
        step.keyset.sample(std::nullopt, std::nullopt, parts, sample_percent(step.table.pages));
    const auto keys =
        pg::in_transaction(session, kSampleLimits, [&] { return session.exec(sample.sql, sample.params); });
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto upper = step.keyset.read_key(keys, i);
      ranges.push_back({lower, upper, rows / parts});
      lower = std::move(upper);
    }
  }
  ranges.push_back(
      {lower, std::nullopt,
       std::max<std::int64_t>(0, rows - static_cast<std::int64_t>(ranges.size()) * (rows / parts))});
  base::failpoint("before_cut");
  ledger::cut(session, step.step_id, rows, ranges);
  base::failpoint("after_cut");
}

}  // namespace pgsluice::engine
