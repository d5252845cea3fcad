#pragma once

#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {

/// The copy of one table as one that follows. Catalog reads only, at both sides, whose sessions may be one.
/// Throws Error if the source cannot be followed, naming why; Failure.
Following read_following(pg::Session& source, pg::Session& target, const CopyStep& step,
                         const FollowNames& names, const std::string& owner);

/// Adds what a copy needs whose source is followed: the queue, by which key its rows are found again, what
/// they refer to. Throws Error, Failure.
void add_follow(pg::Session& target, const std::string& queue_sql, Copying& copying);

/// All tables of a step. `queue`: what its objects at the source are named after.
FollowedTables read_followed(pg::Session& source, pg::Session& target, const CopyStep& step,
                             const std::string& queue, const std::string& owner);

/// What a follow of the step has made at the source, table by table in the order of the job file: known
/// without asking either side.
std::vector<FollowedSource> followed_sources(const CopyStep& step, const std::string& queue);

/// Throws Error(kRefused) if rows of the target may be no copies: a followed change would overwrite or delete
/// them. For use before anything is copied.
void require_own_rows(pg::Session& target, const CopyStep& step);

/// The step as its rows are compared while it follows: a row that is there must also be right.
CopyStep as_followed(const CopyStep& step);

}  // namespace pgsluice::engine
