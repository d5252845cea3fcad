#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engine/run/beside.hpp"
#include "engine/run/keeper.hpp"
#include "engine/run/run_row.hpp"
#include "engine/run/stopping/clocks.hpp"
#include "engine/run/stopping/end_decision.hpp"
#include "engine/run/stopping/signal_watch.hpp"
#include "lanes/fill_work.hpp"
#include "lanes/throttle/sampler.hpp"
#include "pg/connection/own_connection.hpp"
#include "pgsluice/engine.hpp"
#include "telling/step/step_in_work.hpp"

namespace pgsluice::engine {

/// Runs beside everything else and does not need the server: watches the clocks; once the run is to stop,
/// makes sure that it ends within its grace, whatever the server does. Confined to the io thread; what it is
/// given outlives it.
class EndInTime {
 public:
  struct Of {
    const RunOptions& options;
    const Clocks& clocks;
    const SignalWatch& signals;
    Stop& stop;
    const Over& over;  // the story is: clocks then ask for nothing more
    Gate& gate;
    Blockers& blockers;
    const Tunables& tunables;
    const Sampler& sampler;
    const FillWork& fills;
    pg::OwnConnection& own;
    pg::Connection& steps;
    pg::Connection& monitor;
    pg::Connection& control;  // where the ledger is written
    RunRow& row;
    Beside& beside;
    InWork& in_work;
    Journal& journal;
    /// How the run would end now, also while its story continues.
    std::function<RunOutcome()> outcome;
    /// We are closing the run's row ourselves.
    std::function<void()> expect_end;
    std::function<event::Summary(const RunOutcome&)> summary;
  };
  explicit EndInTime(Of of) : of_(std::move(of)) {}

  /// Runs until end().
  boost::asio::awaitable<void> watch();
  /// No work is in progress any more, and what is done stays done: only the writing of the end is still
  /// watched.
  void begin_closing() { is_closing_ = true; }
  /// From now on nothing is in work on the server, and what is elsewhere has bounds of its own.
  void rest() { rests_ = true; }
  /// The opposite: the grace begins anew.
  void go_on() {
    rests_ = false;
    drains_since_.reset();
  }
  void end() {
    has_ended_ = true;
    of_.stop.wakeup().notify();
  }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  EndFacts facts(TimePoint now) const;
  void act(const EndDecision& decision, TimePoint now);
  bool is_statement_in_flight() const;
  /// What the abort cuts short, in words.
  std::string work_in_words() const;
  void tell_abort(const std::string& why);
  void cut_statement();
  /// Ends all work in progress on the server.
  void send_cancels(TimePoint now);
  void close_beside();
  /// Ends the process of a run whose server does not answer.
  boost::asio::awaitable<void> leave();

  Of of_;
  Stop late_;  // takes the clocks' requests once the story is over
  bool is_closing_ = false;
  bool is_closed_beside_ = false;
  bool has_ended_ = false;
  bool rests_ = false;
  std::optional<TimePoint> drains_since_, aborts_since_, cancelled_at_;
};

}  // namespace pgsluice::engine
