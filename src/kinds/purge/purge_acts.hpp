#pragma once

#include <cstdint>
#include <vector>

#include "kinds/acts/act.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a purge does, in order: its batches, and VACUUM afterwards if that is asked for. `table_sql`: quoted.
/// Pure.
std::vector<Act> purge_acts(const PurgeStep& step, std::int64_t step_id, const std::string& table_sql);

}  // namespace pgsluice::engine
