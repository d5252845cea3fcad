#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <functional>
#include <string>

#include "pg/connection/connection.hpp"
#include "telling/failure/first_failure.hpp"
#include "telling/journal.hpp"
#include "telling/step/step_in_work.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// How a step ended in this run: "done", "failed", "interrupted" or "ready for cut-over". Pure.
std::string step_outcome(const std::exception_ptr& error, const Stop& stop);

/// Records in ledger and event log that a step, or an act of a retype, begins and ends. Confined to the io
/// thread; what it is given outlives it.
class StepStates {
 public:
  struct Told {
    Journal& journal;
    const Stop& stop;
    InWork& in_work;
    FirstFailure& failure;
    std::function<boost::asio::awaitable<void>()> store_log;  // pending events, into the ledger
    bool is_rollback = false;  // its acts may have been ended and forgotten by another rollback
  };
  explicit StepStates(Told told) : at_(std::move(told)) {}

  /// From now on the run works on this step.
  void show(const std::string& name, const std::string& kind);
  /// How far behind its source a copy is that follows it, until another step is shown.
  void show_behind(const Behind& behind) { at_.in_work.behind = behind; }

  /// Records in the ledger that it is running. Throws Error, Failure.
  boost::asio::awaitable<StepInWork> begin(pg::Connection& connection, ledger::StepRecord record);

  /// Records in ledger and event log how it ended. Returns `error`, or the error that kept the ledger from
  /// being written.
  boost::asio::awaitable<std::exception_ptr> end(pg::Connection& connection, StepInWork step,
                                                 std::string outcome, std::exception_ptr error);

  /// When it returns, the journal's pending events are in the ledger, unless that cannot be reached.
  boost::asio::awaitable<void> store_log() { return at_.store_log(); }

 private:
  Told at_;
};

}  // namespace pgsluice::engine
