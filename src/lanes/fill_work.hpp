#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "lanes/fill/fill.hpp"
#include "lanes/lane_pool.hpp"
#include "lanes/lease/held_ranges.hpp"
#include "lanes/ranges/final_pass.hpp"
#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/sampler.hpp"
#include "telling/step/step_states.hpp"

namespace pgsluice::engine {

/// A table to be filled: how, and its step or act in the ledger.
struct Filling {
  Prepare prepare;
  ledger::StepRecord record;
};

/// Changes the step's rows.
Filling filling_of(const BackfillStep& step, ledger::StepRecord record);

/// How a run ends that left rows unchanged, and what to do about it.
inline constexpr const char* kLookAtUnchanged =
    "see what it does to such rows; correct or disable it, then run the job again under another name";

/// Fills tables side by side with one pool of lanes, from the first range to the last. Lives as long as its
/// run, and can be asked at any time what is in progress. Confined to the io thread; what it is given
/// outlives it.
class FillWork {
 public:
  struct Surroundings {
    boost::asio::io_context& io;
    LaneConnections connections;
    std::string run_id;
    const Tunables& tunables;
    pg::Connection& connection;  // for statements that belong to no lane
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

  /// Runs until all of them are done, or stop is requested. Throws the first failure, after the others have
  /// drained.
  boost::asio::awaitable<void> run(std::vector<Filling> fillings);

  /// nullptr if no lanes are working.
  LanePool* lanes() const { return lanes_.get(); }
  /// Of the fills in progress, or of the last ones.
  FillSums sums() const { return is_begun_ ? sums_of(fills_) : last_; }
  bool is_at_work() const { return is_begun_; }
  /// Called when another step begins: these are not its rows.
  void forget_sums() { last_ = {}; }

  /// Warns once for each table in which more rows were visited than estimated.
  void tell_wrong_estimates();
  /// Which tables hold rows that were selected and stayed as they were, as far as this run has seen.
  const std::string& unchanged() const { return unchanged_; }

 private:
  boost::asio::awaitable<void> begin(Filling filling);
  /// Waits a moment for the gate: sampled batches are held by the same signals as others. 0: it holds.
  boost::asio::awaitable<double> pace_at_start();
  boost::asio::awaitable<void> fill_all();
  boost::asio::awaitable<void> run_lanes();
  /// Ends a fill without ranges if it has no rows left either. False if it has ended, or the run is to stop.
  boost::asio::awaitable<bool> end_if_over(pg::Connection& connection, Fill& fill);
  void tell(const Completeness& complete, Fill& fill);
  /// Warns about rows that a trigger or rule left as they were, and keeps that for the summary.
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
