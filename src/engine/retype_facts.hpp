#pragma once

#include <string>
#include <vector>

#include "pg/session.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/job.hpp"
#include "steps/retype/retype.hpp"

namespace pgsluice::engine {

/// Counting orphans reads a whole table. Where 10 minutes are not enough, VALIDATE CONSTRAINT is the better
/// way to ask: it is asked once.
constexpr pg::TransactionLimits kCountLimits{std::chrono::milliseconds{1'000},
                                             std::chrono::milliseconds{600'000}, true};

/// Whose names the objects of a retype bear, as the ledger knows it.
steps::retype::Owner owner_of(pg::Session& session, std::int64_t step_id);

/// A retype as the catalog shows it now. Short locks only; throws Error(kRefused) if a table or its key is
/// missing, Failure 55P03 if somebody holds a table.
steps::retype::Retype read_retype(pg::Session& session, const RetypeStep& step,
                                  const steps::retype::Owner& owner);

/// The same in the caller's transaction.
steps::retype::Retype read_retype_inside(pg::Session& session, const RetypeStep& step,
                                         const steps::retype::Owner& owner);

/// What cannot be carried over, by name, each with what to do about it. Empty: the retype can begin. For a
/// retype that has not begun: shadow columns that are there already count as an obstacle.
struct Obstacle {
  std::string message;
  std::string hint;
};
std::vector<Obstacle> retype_obstacles(pg::Session& session, const steps::retype::Retype& retype);

/// The whole retype tried beforehand, in words.
struct Rehearsed {
  std::vector<Obstacle> refused;   // by the server
  std::vector<Obstacle> warnings;  // what was not tried, and why
  std::string summary;
};
Rehearsed rehearsed(pg::Session& session, const steps::retype::Retype& retype);

/// Throws Error(kRefused) with all of them.
void refuse_retype(const std::string& step, const std::vector<Obstacle>& obstacles);

}  // namespace pgsluice::engine
