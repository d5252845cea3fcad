#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// Throws Error(kRefused) while a verify step below this step, which proves its result, is not done.
void require_proof(pg::Session& session, const std::string& job, std::int64_t step_id);

}  // namespace pgsluice::engine
