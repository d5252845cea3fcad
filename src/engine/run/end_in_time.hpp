#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engine/run/beside.hpp"
#include "engine/run/clocks.hpp"
#include "engine/run/end_decision.hpp"
#include "engine/run/keeper.hpp"
#include "engine/run/run_row.hpp"
#include "engine/run/signal_watch.hpp"
#include "lanes/fill_work.hpp"
#include "lanes/pace/sampler.hpp"
#include "pg/own_connection.hpp"
#include "pgsluice/engine.hpp"
#include "telling/step/step_in_work.hpp"

namespace pgsluice::engine {

/// Beside everything else, and without the server: looks at the clocks; once the run is to stop, sees to it
/// that it ends within its grace, whatever the server does. Confined to the io thread; what it is given
/// outlives it.
class EndInTime {
 public:
  struct Of {
    const RunOptions& options;
    const Clocks& clocks;
    const SignalWatch& signals;
    Stop& stop;
    Gate& gate;
    Blockers& blockers;
    const Tunables& tunables;
    const Sampler& sampler;
    const FillWork& fills;
    pg::OwnConnection& own;
    pg::Connection& steps;
    pg::Connection& monitor;
    pg::Connection& control;  // the ledger is told there
    RunRow& row;
    Beside& beside;
    InWork& in_work;
    Journal& journal;
    /// How the run ends as things stand, also while its story goes on.
    std::function<RunOutcome()> outcome;
    /// The run's row is being ended by ourselves.
    std::function<void()> expect_end;
    std::function<event::Summary(const RunOutcome&)> summary;
  };
  explicit EndInTime(Of of) : of_(std::move(of)) {}

  /// Until end().
  boost::asio::awaitable<void> watch();
  /// Nothing is in work any more, and what is done stays done: only the telling is still watched.
  void begin_closing() { is_closing_ = true; }
  /// The story is over: clocks ask for nothing more.
  void note_over() { is_over_ = true; }
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
  /// Ends whatever is in work on the server.
  void send_cancels(TimePoint now);
  void close_beside();
  /// Ends the process of a run whose server does not answer.
  boost::asio::awaitable<void> leave();

  Of of_;
  Stop late_;  // the clocks' word once the story is over
  bool is_over_ = false;
  bool is_closing_ = false;
  bool is_closed_beside_ = false;
  bool has_ended_ = false;
  std::optional<TimePoint> drains_since_, aborts_since_, cancelled_at_;
};

}  // namespace pgsluice::engine
