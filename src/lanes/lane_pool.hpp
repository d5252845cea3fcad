#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lanes/lane.hpp"
#include "lanes/throttle/sampler.hpp"

namespace pgsluice::engine {

/// Runs the lanes of fills side by side, as many as `pool.lanes` says, also while that changes. Confined to
/// the io thread.
class LanePool {
 public:
  LanePool(boost::asio::io_context& io, LaneConnections connections, Fills& fills,
           LaneSurroundings surroundings)
      : io_(io), connections_(std::move(connections)), fills_(fills), at_(surroundings) {}

  /// Returns when no lane works any more: the fills are done, held by others, or stop is requested. Throws
  /// the first lane's Error after the others have drained; the fill that it failed on has it too.
  boost::asio::awaitable<void> run(Stop& stop);

  std::map<int, int> lane_of_pid() const;
  void give_way(int lane, const std::string& who);
  /// Since when a foreign transaction has been open; for fills that interleave.
  void note_transaction(std::optional<std::chrono::steady_clock::time_point> open_since);
  /// The grace is over: cancels whatever is in flight; no lane begins anything more.
  void abort();
  /// How long the oldest batch has been in flight; zero if none is.
  std::chrono::steady_clock::duration longest_batch(std::chrono::steady_clock::time_point now) const;
  int lanes_busy() const;
  /// The error of the first lane that failed, while others may still drain; nullptr if none has.
  const std::exception_ptr& first_error() const { return first_error_; }

 private:
  struct Crew {
    std::unique_ptr<pg::Connection> connection;
    std::unique_ptr<Lane> lane;
    bool is_over = false;
  };

  static boost::asio::awaitable<void> give_way_on(std::shared_ptr<Crew> crew, std::string who);
  void start_lane(Stop& stop);
  void match_tunables();
  /// While a replica falls behind, no fill interleaves.
  void spare_replicas();
  void match_lanes(Stop& stop);
  int working() const;

  boost::asio::io_context& io_;
  LaneConnections connections_;
  Fills& fills_;
  LaneSurroundings at_;
  std::vector<std::shared_ptr<Crew>> crews_;  // shared with cancels on their way, which may outlast the lane
  Wakeup over_;                               // a lane has ended
  std::exception_ptr first_error_;
  int next_number_ = 1;
  bool is_nothing_left_ = false;  // a lane found nothing to lease: no use in starting more
};

}  // namespace pgsluice::engine
