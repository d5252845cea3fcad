#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::bench {

/// Of the wanted walks (none: all), those that rolled-back trials can measure. The reasons for leaving out
/// others go to `left_out`. Throws Error(kUsage) if none is left. Pure.
std::vector<Walk> rolled_walks(const std::vector<Walk>& wanted, std::vector<std::string>& left_out);

/// How each figure is measured.
std::vector<std::string> rolled_methods();

/// What the figures cannot show.
std::vector<std::string> rolled_notes(const std::vector<std::string>& triggers, std::int64_t growth_max);

}  // namespace pgsluice::bench
