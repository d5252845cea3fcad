#pragma once

#include <vector>

#include "kinds/step_run/running_step.hpp"
#include "pgsluice/plan.hpp"
#include "table/purge/whole_partitions.hpp"

namespace pgsluice::engine {

/// What run_drop_partition() sends. Pure.
std::vector<PlannedStatement> drop_statements(const WholePartition& partition);

/// Detaches the partition concurrently and drops it, or attaches it to the archive, or finishes what an
/// interrupted run began. Looks before each of the two whether it holds a row that stays. Leaves what others
/// have detached, attached elsewhere or renamed, with a warning. Throws Error.
boost::asio::awaitable<void> run_drop_partition(RunningStep& step, WholePartition partition);

}  // namespace pgsluice::engine
