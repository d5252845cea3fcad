#pragma once

#include "kinds/constraint/constraint_facts.hpp"
#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// The condition that a violating row of the relation `r` meets; empty for a key, which rows break together.
/// Pure.
std::string violation_sql(const ConstraintStep& step, const ConstraintFacts& facts);

/// Reads the whole table at the gate's pace for rows that break the constraint. Throws Error(kMismatch) with
/// their number and the keys of the first; `pgsluice failures` names more of them. Returns early when a stop
/// is requested.
boost::asio::awaitable<void> refuse_violators(RunningStep& step, ConstraintStep constraint,
                                              ConstraintFacts facts);

}  // namespace pgsluice::engine
