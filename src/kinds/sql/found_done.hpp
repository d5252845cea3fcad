#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"
#include "kinds/sql/existing/comparison.hpp"
#include "kinds/step_run/running_step.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The detail of a sql step in the ledger, when objects of its statements were there before it ran. A value.
struct FoundDone {
  bool is_all = false;  // every statement: the step itself has made nothing
  std::string words;    // what was there

  std::string detail() const;
  /// Nothing found: is_all is false and there are no words. Pure.
  static FoundDone of_detail(const std::string& detail);
};

/// What pending statements find there, by their place in the step, as far as that can be told now: nothing
/// for a statement behind one that may remove it, and nothing once the step's work is committed. Throws
/// Failure.
std::vector<Recognition> foresee_existing(const StepAt& at, const SqlStep& step);

/// Runs the statements of a sql step. One that fails because its objects are there counts as done if they are
/// as it makes them, which is told and noted in the ledger. Throws Error if they are not.
boost::asio::awaitable<void> run_recognising(RunningStep& step, const SqlStep& sql);

/// "statement 2 is taken as done: column … of table … is there as it makes it"
std::string taken_as_done(std::size_t place, const Recognition& found);
std::string refused_because(const std::string& step, std::size_t place, const Recognition& found);

/// What to do about objects that are there, but different.
inline constexpr const char* kHintOther =
    "change what is there or the statement; IF NOT EXISTS takes a column, table or index as it is";

}  // namespace pgsluice::engine
