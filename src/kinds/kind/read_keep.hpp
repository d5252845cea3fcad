#pragma once

#include <chrono>
#include <optional>

#include "job/read/section.hpp"

namespace pgsluice::engine {

/// What a step keeps for its rollback.
struct Keeping {
  bool is_kept = false;
  std::optional<std::chrono::hours> time;  // after the step's end; nothing: until it is freed
};

/// `keep = true`, or for how long: `keep = "30d"`. nullopt: the key is not there, or was refused.
std::optional<Keeping> read_keep(job::Section& section);

}  // namespace pgsluice::engine
