#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "lanes/fill.hpp"
#include "lanes/lane_pool.hpp"
#include "lanes/pace/blockers.hpp"
#include "lanes/pace/sampler.hpp"
#include "lanes/ranges/final_pass.hpp"
#include "lanes/ranges/held_ranges.hpp"
#include "telling/step/step_states.hpp"

namespace pgsluice::engine {

/// A table to be filled: the definition, and the step or act that it is in the ledger.
struct Filling {
  BackfillStep step;
  ledger::StepRecord record;
};

/// How a run ends of which rows stayed as they were, and what to do about it.
inline constexpr const char* kLookAtUnchanged =
    "see what it does to such rows; mend it or disable it, then run the job again under another name";

/// Fills tables side by side with one pool of lanes, from the first range to the last. Lives as long as its
/// run, and may be asked what is in work at any time. Confined to the io thread; what it is given outlives
/// it.
class FillWork {
 public:
  struct Surroundings {
    boost::asio::io_context& io;
    LaneConnections connections;
    std::string run_id;
    const Tunables& tunables;
    pg::Connection& connection;  // for what is no lane's
    Gate& gate;
    Sampler& sampler;
    Blockers& blockers;
    Journal& journal;
    Tally& tally;
    Stop& stop;
    StepStates& states;
    HeldRanges& ranges;
  };
  explicit FillWork(Surroundings at) : at_(std::move(at)) {}

  /// Until every one of them is done, or stop is requested. Throws what the first of them failed by, after
  /// the others have drained.
  boost::asio::awaitable<void> run(std::vector<Filling> fillings);

  /// nullptr: no lanes are at work.
  LanePool* lanes() const { return lanes_.get(); }
  /// Of those in work, or of the last ones.
  FillSums sums() const { return is_begun_ ? sums_of(fills_) : last_; }
  bool is_at_work() const { return is_begun_; }
  /// The next step is another one: its rows are not these.
  void forget_sums() { last_ = {}; }

  /// Warns once of each table of which more rows were visited than were estimated.
  void tell_wrong_estimates();
  /// Which tables hold rows that were selected and stayed as they were, as far as this run has seen it.
  const std::string& unchanged() const { return unchanged_; }

 private:
  boost::asio::awaitable<void> begin(Filling filling);
  boost::asio::awaitable<void> fill_all();
  boost::asio::awaitable<void> run_lanes();
  /// Ends a fill of which no range is left, if no row is. False: it has ended, or the run is to stop.
  boost::asio::awaitable<bool> end_if_over(pg::Connection& connection, Fill& fill);
  void tell(const Completeness& complete, Fill& fill);
  /// Warns of rows that a trigger or rule left as they were, and keeps it for the summary.
  void tell_unchanged(const Fill& fill);
  void warn_of_small_target(const PreparedBackfill& prepared);

  Surroundings at_;
  Fills fills_;
  bool is_begun_ = false;
  FillSums last_;
  std::unique_ptr<LeaseDesk> desk_;
  std::unique_ptr<LanePool> lanes_;
  std::string unchanged_;
};

}  // namespace pgsluice::engine
