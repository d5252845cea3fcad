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
#include "walk/interleaving.hpp"
#include "walk/size/sizer.hpp"

namespace pgsluice::engine {

/// One table's fill in work: a backfill step, or a fill act of a retype. What the lanes on it share: its
/// statement, the size of its batches, its counts. Confined to the io thread, but for prepared().
class Fill {
 public:
  Fill(StepInWork step, PreparedBackfill prepared, const Tunables& tunables);

  const StepInWork& step() const { return step_; }
  /// Constant, so that batches read it on their lanes' threads.
  const PreparedBackfill& prepared() const { return prepared_; }
  walk::Sizer& sizer() { return sizer_; }
  /// A sweep reads much and changes little: its batches are larger, and no measure for any other.
  walk::Sizer& sweep_sizer() { return sweep_sizer_; }
  walk::Interleaving& interleaving() { return interleaving_; }
  const walk::Sizer& sizer() const { return sizer_; }

  /// Sizes batches by the tunables of now, and small while others are slowed by them: what queues up behind a
  /// batch is as long as the batch.
  std::optional<walk::Tune> match(const Tunables& tunables, bool is_beside_others);
  event::Tune event_of(const walk::Tune& tune) const;
  event::Tune event_of(const walk::Interleaving::Change& change) const;

  void add(const RowCounts& batch);
  /// What the ledger says of the step that is over, other runs' work included: the truth.
  void settle(const RowCounts& ledger_counts) { step_.rows = ledger_counts; }

  /// Rows of the whole step, as far as they are known by now; 0: there are more than was thought, and nobody
  /// knows how many.
  std::int64_t rows_expected() const;
  void expect(std::int64_t rows) { rows_expected_ = rows; }

  std::set<std::int64_t> in_use;   // ranges that lanes of this run work on: as many as lanes
  std::int64_t setting_aside = 0;  // rows on their way into quarantine: lanes share its limit
  Looks looks;                     // for rows left behind, by this run
  bool is_looked_at = false;       // for rows left behind, by a lane: once at a time
  bool is_ended = false;           // no range is left, and the ledger is told so
  /// Not before then is a range of it measured, to be split.
  std::chrono::steady_clock::time_point measure_again{};
  bool is_estimate_wrong = false;  // and the log has heard of it
  std::exception_ptr error;        // a lane's that failed on it

 private:
  StepInWork step_;
  PreparedBackfill prepared_;
  std::int64_t rows_expected_ = 0;
  BatchLimits limits_;  // that the sizer works by
  walk::Sizer sizer_;
  walk::Sizer sweep_sizer_;
  walk::Interleaving interleaving_;
};

/// Fills that one pool of lanes works on side by side, in the order of their steps; a backfill step is one
/// alone.
using Fills = std::vector<std::unique_ptr<Fill>>;

/// "fill users and 2 more": the same from begin to end, as the sums are of all of them. REQUIRES: not empty.
std::string name_of(const Fills& fills);

struct FillSums {
  RowCounts rows;
  std::int64_t rows_expected = 0;
  std::int64_t batch_rows = 0;  // of the next batch: the mean of those fills that have not ended
};
FillSums sums_of(const Fills& fills);

}  // namespace pgsluice::engine
