#include "lanes/fill/fill.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "governor/turns.hpp"
#include "telling/tally.hpp"

namespace pgsluice::engine {
namespace {

// Counting rows on 300 pages has an error of 6 %; if more than that beyond the estimate were visited, it was
// wrong.
constexpr double kEstimateError = 1.1;

// Rows of one batch that puts old values back. A pass through a window of images is 8,192: a batch of more
// would change rows of a page twice, and the versions that it leaves cannot be pruned before it commits. Half
// of that, so that one batch at least lies between (1,000,000 rows: HOT 71 % without this, 168 MB of WAL).
constexpr std::int64_t kRestoredRowsMost = 4'096;

/// Only putting old values back names rows.
bool puts_back(const PreparedBackfill& prepared) {
  return static_cast<bool>(prepared.sql.naming);
}

BatchLimits limits_of(const Tunables& tunables, const PreparedBackfill& prepared) {
  auto limits = within_deadlock_timeout(tunables.batch, tunables.throttle.lock_wait,
                                        prepared.deadlock_timeout, prepared.long_statements());
  if (!puts_back(prepared)) return limits;
  limits.rows_max = std::min(limits.rows_max, kRestoredRowsMost);
  limits.rows_min = std::min(limits.rows_min, limits.rows_max);
  limits.rows = std::min(limits.rows, limits.rows_max);
  return limits;
}

}  // namespace

Fill::Fill(StepInWork step, PreparedBackfill prepared, const Tunables& tunables)
    : step_(std::move(step)),
      prepared_(std::move(prepared)),
      rows_expected_(prepared_.table.rows_estimate),
      limits_(limits_of(tunables, prepared_)),
      sizer_(limits_),
      sweep_sizer_(limits_),
      interleaving_(prepared_.ground, prepared_.choice.walk == Walk::kInterleaved) {}

std::optional<walk::Tune> Fill::match(const Tunables& tunables, bool is_beside_others) {
  auto limits = limits_of(tunables, prepared_);
  if (is_beside_others) limits.target = std::min(limits.target, governor::kTargetBesideOthers);
  if (limits_ == limits) return std::nullopt;
  limits_ = limits;
  auto tune = sizer_.retarget(limits_);
  sweep_sizer_.retarget(limits_);
  if (tune && is_beside_others)
    tune->cause = "batches aim at " + base::duration_text(limits.target) + " while they slow others down";
  return tune;
}

event::Tune Fill::event_of(const walk::Tune& tune) const {
  return {"batch.rows", std::to_string(tune.from), std::to_string(tune.to),
          tune.cause + " (table " + prepared_.table.schema + "." + prepared_.table.name + ")"};
}

event::Tune Fill::event_of(const walk::Interleaving::Change& change) const {
  const auto text = [](int passes) {
    return passes == 1 ? std::string("blocks") : "interleaved, " + std::to_string(passes) + " passes";
  };
  return {"walk", text(change.from), text(change.to),
          change.cause + " (table " + prepared_.table.schema + "." + prepared_.table.name + ")"};
}

void Fill::add(const RowCounts& batch) {
  engine::add(step_.rows, batch);
}

std::int64_t Fill::rows_expected() const {
  const auto visited = step_.rows.visited();
  if (is_ended) return visited;
  const auto most = static_cast<double>(rows_expected_) * kEstimateError;
  return static_cast<double>(visited) > most ? 0 : rows_expected_;
}

std::string name_of(const Fills& fills) {
  const auto& first = fills.front()->step().record.name;
  return fills.size() == 1 ? first : first + " and " + std::to_string(fills.size() - 1) + " more";
}

FillSums sums_of(const Fills& fills) {
  FillSums sums;
  std::int64_t sizes = 0;
  bool is_known = true;
  for (const auto& fill : fills) {
    add(sums.rows, fill->step().rows);
    const auto expected = fill->rows_expected();
    is_known = is_known && (expected > 0 || fill->is_ended);
    sums.rows_expected += expected;
    if (fill->is_ended) continue;
    sums.batch_rows += fill->sizer().rows();
    ++sizes;
  }
  if (!is_known) sums.rows_expected = 0;
  if (sizes > 0) sums.batch_rows /= sizes;
  return sums;
}

}  // namespace pgsluice::engine
