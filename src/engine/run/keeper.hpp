#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "engine/run/control_change.hpp"
#include "engine/run/stopping/clocks.hpp"
#include "lanes/throttle/gate.hpp"
#include "ledger/runs.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/job.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"
#include "telling/wakeup.hpp"

namespace pgsluice::engine {

/// Keeps a run alive and under control: renews its lease, reads operators' commands and the server's clock,
/// applies tunables and stores the event log. Has its own connection; if the server cannot be reached, tries
/// again at the next turn. Confined to the io thread.
class Keeper {
 public:
  /// What it changes on an operator's command, and what it watches; each outlives it.
  struct Kept {
    Clocks& clocks;
    Tunables& tunables;  // initially those of the job file
    Gate& gate;
    Journal& journal;
    Stop& stop;
  };

  /// `window_timezone`: the time zone in which the server's clock is read; UTC without a window.
  Keeper(pg::Connection& connection, std::int64_t job_id, std::string run_id, std::string window_timezone,
         Kept kept)
      : connection_(connection),
        job_id_(job_id),
        run_id_(std::move(run_id)),
        timezone_(std::move(window_timezone)),
        clocks_(kept.clocks),
        tunables_(kept.tunables),
        tunables_of_file_(kept.tunables),
        gate_(kept.gate),
        journal_(kept.journal),
        stop_(kept.stop) {}

  /// Does a turn every kTurn until `over` is set, then stores the rest of the event log. `progress` gives the
  /// line that `status` shows.
  boost::asio::awaitable<void> run(const Over& over, std::function<std::string()> progress);

  /// Stores pending events; keeps them if the ledger cannot be reached.
  boost::asio::awaitable<void> flush_journal();

  /// We are closing the run's row in the ledger ourselves: finding it ended is no longer a failure.
  void expect_end() { is_end_expected_ = true; }

  /// What operators said; also once before the first step.
  void obey(const ledger::Orders& orders);

 private:
  static constexpr std::chrono::milliseconds kTurn{500};

  boost::asio::awaitable<void> turn(bool is_heartbeat_due, std::string progress);
  void act(ControlChange change, const ledger::Orders& orders);
  void obey_tunables(const ledger::Orders& orders);

  pg::Connection& connection_;
  std::int64_t job_id_;
  std::string run_id_;
  std::string timezone_;
  Clocks& clocks_;
  Tunables& tunables_;  // current values; this is their only writer
  const Tunables tunables_of_file_;
  std::string refused_;  // why the last heartbeat was refused, as reported
  Gate& gate_;
  Journal& journal_;
  Stop& stop_;
  bool is_end_expected_ = false;
  Control control_ = Control::kRun;
  std::int64_t tunables_version_ = 0;
};

}  // namespace pgsluice::engine
