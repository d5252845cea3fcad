#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "engine/gate.hpp"
#include "engine/journal.hpp"
#include "engine/stop.hpp"
#include "ledger/runs.hpp"
#include "pg/connection.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Keeps a run alive and obedient: renews its lease, reads what operators said, applies tunables, watches the
/// clock
/// (--for, --until, [window], throttle.give_up) and stores the event log. On a connection of its own; a
/// server that cannot be reached is tried again at the next turn. Confined to the io thread.
class Keeper {
 public:
  Keeper(pg::Connection& connection, std::int64_t job_id, std::string run_id, const RunOptions& options,
         Job& job, Gate& gate, Journal& journal, Stop& stop)
      : connection_(connection),
        job_id_(job_id),
        run_id_(std::move(run_id)),
        options_(options),
        job_(job),
        tunables_(job),
        gate_(gate),
        journal_(journal),
        stop_(stop) {}

  /// Turns every kTurn until `is_over` is set, then stores what is left of the event log. `progress` gives
  /// the line that `status` shows.
  boost::asio::awaitable<void> run(const bool& is_over, std::function<std::string()> progress);

  /// Stores pending events; keeps them if the ledger cannot be reached.
  boost::asio::awaitable<void> flush_journal();

  /// What operators said and what the clock says; also once before the first step.
  void obey(const ledger::Control& control);

 private:
  static constexpr std::chrono::milliseconds kTurn{500};

  boost::asio::awaitable<void> turn(bool is_heartbeat_due, std::string progress);
  void obey_tunables(const ledger::Control& control);
  void watch_clock(const ledger::Control& control);

  pg::Connection& connection_;
  std::int64_t job_id_;
  std::string run_id_;
  RunOptions options_;
  Job& job_;      // the tunables of now: this is their only writer
  Job tunables_;  // as the job file has them
  Gate& gate_;
  Journal& journal_;
  Stop& stop_;
  std::string control_ = "run";
  std::int64_t tunables_version_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace pgsluice::engine
