#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "lanes/fill_work.hpp"
#include "lanes/lease/held_ranges.hpp"
#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/gate.hpp"
#include "ledger/jobs.hpp"
#include "pg/connection/own_connection.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/job.hpp"
#include "telling/journal.hpp"
#include "telling/step/step_states.hpp"
#include "telling/stop.hpp"
#include "telling/tally.hpp"

namespace pgsluice::engine {

/// What a step may use while it runs, and no longer. An act of a retype runs with a copy that has the act's
/// record. Confined to the io thread; what it refers to outlives it.
struct RunningStep {
  const Job& job;
  const Tunables& tunables;  // current: `set` changes them while the step runs
  const std::string& run_id;
  ledger::StepRecord record;
  bool is_rehearsed = false;   // before the run's first write
  pg::Connection& connection;  // shared by all steps, one after the other
  pg::OwnConnection& own;      // for work that needs a separate session
  FillWork& fills;
  HeldRanges& ranges;
  StepStates& states;
  Gate& gate;
  Blockers& blockers;
  Journal& journal;
  Tally& tally;
  Stop& stop;
  EventSink& sink;  // for work that publishes events from another thread
  /// What remains of the step when one of its statements fails for good; nullopt: it is one transaction, so
  /// nothing.
  std::function<std::optional<std::string>(pg::Session&)> standing;
};

using Story = std::function<boost::asio::awaitable<void>()>;

/// Runs `story` and records its start and end in ledger and event log. Throws what the story throws, or what
/// kept the ledger from being written. REQUIRES: both outlive it.
boost::asio::awaitable<void> run_told(RunningStep& step, const Story& story);

/// Leases the only range of a step without keys, on that connection. nullopt if a stop is requested, or
/// another run has done it.
boost::asio::awaitable<std::optional<ledger::Range>> lease_single(RunningStep& step,
                                                                  pg::Connection& connection);

/// Marks that range done, which ends the step for every run.
boost::asio::awaitable<void> mark_done(RunningStep& step, pg::Connection& connection, ledger::Token token);

}  // namespace pgsluice::engine
