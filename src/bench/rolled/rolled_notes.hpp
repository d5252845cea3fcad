#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::bench {

/// Walks that rolled-back trials can show, of those wanted (none: all). Why others are not is put into
/// `left_out`. Throws Error(kUsage) if none is left. Pure.
std::vector<Walk> rolled_walks(const std::vector<Walk>& wanted, std::vector<std::string>& left_out);

/// How each figure is got.
std::vector<std::string> rolled_methods();

/// What the figures cannot show.
std::vector<std::string> rolled_notes(const std::vector<std::string>& triggers, std::int64_t growth_max);

}  // namespace pgsluice::bench
