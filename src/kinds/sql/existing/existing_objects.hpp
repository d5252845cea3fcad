#pragma once

#include <string>
#include <vector>

#include "kinds/sql/existing/comparison.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// What is there of all that the statement makes. The server compares: it applies the statement to an empty
/// probe in pg_temp. If that differs, it applies the step's `later` statements on the same table too: whoever
/// made the objects by hand may have gone that far. Leaves the caller's transaction as it was. kNone as well
/// for a statement whose result cannot be compared. Throws Failure if the connection is lost or a lock is not
/// to be had.
Recognition recognise(pg::Session& session, const std::string& sql, const std::vector<std::string>& later);

/// The same in a transaction of its own, for `plan` and `check`.
Recognition recognise_alone(pg::Session& session, const std::string& sql,
                            const std::vector<std::string>& later);

}  // namespace pgsluice::engine
