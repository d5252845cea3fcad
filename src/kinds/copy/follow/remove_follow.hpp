#pragma once

#include <cstdint>

#include "kinds/ddl/operator_act.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// For a rollback: removes whatever a follow has made at the source, tried again until it gets its locks.
/// Blocks. Throws Error.
void remove_follow(OperatorAct& act, const CopyStep& copy, std::int64_t step_id);

}  // namespace pgsluice::engine
