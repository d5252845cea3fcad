#pragma once

#include <optional>
#include <string_view>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// Why a name of a job or a step is not accepted; nullopt: it is.
std::optional<Refusal> check_name(std::string_view name);

}  // namespace pgsluice::job
