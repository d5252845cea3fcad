#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/ranges/look.hpp"
#include "pgsluice/event.hpp"
#include "telling/step/step_in_work.hpp"
#include "walk/batch_size/sizer.hpp"
#include "walk/interleaving.hpp"

namespace pgsluice::engine {

/// One table's fill in progress: a backfill step, or a fill act of a retype. Holds what its lanes share: its
/// statement, the size of its batches, its counts. Confined to the io thread, except prepared().
class Fill {
 public:
  Fill(StepInWork step, PreparedBackfill prepared, const Tunables& tunables);

  const StepInWork& step() const { return step_; }
  /// Constant, so that batches may read it on their lanes' threads.
  const PreparedBackfill& prepared() const { return prepared_; }
  walk::Sizer& sizer() { return sizer_; }
  /// A sweep reads much and changes little: its batches are larger, and say nothing about the size of others.
  walk::Sizer& sweep_sizer() { return sweep_sizer_; }
  walk::Interleaving& interleaving() { return interleaving_; }
  const walk::Sizer& sizer() const { return sizer_; }

  /// Sizes batches by the current tunables, and small while they slow others down: whatever queues behind a
  /// batch waits as long as it takes.
  std::optional<walk::Tune> match(const Tunables& tunables, bool is_beside_others);
  event::Tune event_of(const walk::Tune& tune) const;
  event::Tune event_of(const walk::Interleaving::Change& change) const;

  void add(const RowCounts& batch);
  /// The ledger's record of the step once it is over, including other runs' work: the truth.
  void settle(const RowCounts& ledger_counts) { step_.rows = ledger_counts; }

  /// Rows of the whole step, as far as known by now; 0: more than estimated, and it is not known how many.
  std::int64_t rows_expected() const;
  void expect(std::int64_t rows) { rows_expected_ = rows; }

  std::set<std::int64_t> in_use;   // ranges that lanes of this run work on: at most one per lane
  std::int64_t setting_aside = 0;  // rows on their way into quarantine: lanes share its limit
  std::int64_t named = 0;          // rows in quarantine that do not count for that limit
  Looks looks;                     // by this run, for rows left behind
  bool is_looked_at = false;       // a lane is looking for rows left behind: one at a time
  bool is_ended = false;           // no range is left, and the ledger says so
  /// No range of it is measured for a split before then.
  std::chrono::steady_clock::time_point measure_again{};
  bool is_estimate_wrong = false;  // and that has been logged
  std::exception_ptr error;        // of a lane that failed on it

 private:
  StepInWork step_;
  PreparedBackfill prepared_;
  std::int64_t rows_expected_ = 0;
  BatchLimits limits_;  // used by the sizer
  walk::Sizer sizer_;
  walk::Sizer sweep_sizer_;
  walk::Interleaving interleaving_;
};

/// Fills that one pool of lanes works on side by side, in the order of their steps; just one for a backfill
/// step.
using Fills = std::vector<std::unique_ptr<Fill>>;

/// "fill users and 2 more": the same from start to end, because the sums cover all of them. REQUIRES: not
/// empty.
std::string name_of(const Fills& fills);

struct FillSums {
  RowCounts rows;
  std::int64_t rows_expected = 0;
  std::int64_t batch_rows = 0;  // of the next batch: the mean over fills that have not ended
};
FillSums sums_of(const Fills& fills);

}  // namespace pgsluice::engine
