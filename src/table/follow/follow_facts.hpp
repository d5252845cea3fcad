#pragma once

#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "table/follow/following.hpp"

namespace pgsluice::engine {

/// The step's copy as a copy that follows. `queue`: what its objects at the source are named after. Catalog
/// reads only, at both sides, whose sessions may be one. Throws Error if the source cannot be followed,
/// naming why; Failure.
Following read_following(pg::Session& source, pg::Session& target, const CopyStep& step,
                         const std::string& queue, const std::string& owner);

/// Throws Error(kRefused) if rows of the target may be no copies: a followed change would overwrite or delete
/// them. For use before anything is copied.
void require_own_rows(pg::Session& target, const CopyStep& step);

/// The step as its rows are compared while it follows: a row that is there must also be right.
CopyStep as_followed(const CopyStep& step);

}  // namespace pgsluice::engine
