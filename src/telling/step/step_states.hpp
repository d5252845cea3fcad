#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <functional>
#include <string>

#include "pg/connection.hpp"
#include "telling/failure/first_failure.hpp"
#include "telling/journal.hpp"
#include "telling/step/step_in_work.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// How a step ended in this run: "done", "failed", "interrupted" or "ready for cut-over". Pure.
std::string step_outcome(const std::exception_ptr& error, const Stop& stop);

/// Tells the ledger and the event log that a step, or an act of a retype, begins and ends. Confined to the io
/// thread; what it is given outlives it.
class StepStates {
 public:
  struct Told {
    Journal& journal;
    const Stop& stop;
    InWork& in_work;
    FirstFailure& failure;
    std::function<boost::asio::awaitable<void>()> store_log;  // what the journal holds, into the ledger
  };
  explicit StepStates(Told told) : at_(std::move(told)) {}

  /// From now on it is what the run works on.
  void show(const std::string& name, const std::string& kind);

  /// Tells the ledger that it is in work. Throws Error, Failure.
  boost::asio::awaitable<StepInWork> begin(pg::Connection& connection, ledger::StepRecord record);

  /// Tells ledger and event log how it ended. Returns `error`, or what kept the ledger from being told.
  boost::asio::awaitable<std::exception_ptr> end(pg::Connection& connection, StepInWork step,
                                                 std::string outcome, std::exception_ptr error);

  /// What the journal holds is in the ledger when it returns, unless the ledger cannot be reached.
  boost::asio::awaitable<void> store_log() { return at_.store_log(); }

 private:
  Told at_;
};

}  // namespace pgsluice::engine
