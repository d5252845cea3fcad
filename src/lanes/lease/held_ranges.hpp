#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/range/lease.hpp"
#include "pg/connection/connection.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// Leases the only range of a step without keys, and waits for ranges that other runs hold. Confined to the
/// io thread; what it is given outlives it.
class HeldRanges {
 public:
  struct Of {
    std::string job;
    std::string run_id;
    std::chrono::seconds patience;  // for other live runs
    pg::Connection& connection;     // on which it looks
    Journal& journal;
    const Stop& stop;
  };
  explicit HeldRanges(Of of);

  /// Cuts the step's only range unless it exists, and leases it. nullopt if stop is requested or another run
  /// has done the step. Throws Error(kRangesHeld).
  boost::asio::awaitable<std::optional<ledger::Range>> lease_single(pg::Connection& connection,
                                                                    std::int64_t step_id, std::string step);

  /// Waits for the ranges that other live runs hold. True if none is left. Throws Error(kRangesHeld) with the
  /// step's name if they hold all that is left for longer than the patience.
  boost::asio::awaitable<bool> wait_for_others(std::vector<std::int64_t> step_ids, std::string step,
                                               std::chrono::steady_clock::time_point since);

  /// As of the last look.
  int left() const { return left_; }

 private:
  boost::asio::awaitable<ledger::Remaining> remaining(std::vector<std::int64_t> step_ids);

  Of of_;
  int left_ = 0;
};

}  // namespace pgsluice::engine
