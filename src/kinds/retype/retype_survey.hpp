#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"
#include "pg/session.hpp"

namespace pgsluice::engine {

/// What cannot be carried over, by name, and what to do about it.
struct Obstacle {
  std::string message;
  std::string hint;
};

/// Empty: the retype can begin. For a retype that has not begun: shadow columns that are there already count
/// as an obstacle.
std::vector<Obstacle> retype_obstacles(pg::Session& session, const steps::retype::Retype& retype);

/// Those of them that lie in the mapping: casts and expressions that mean nothing, or not the same in every
/// session, and numbers that do not fit.
std::vector<Obstacle> mapping_obstacles(pg::Session& session, const steps::retype::Retype& retype);

/// The whole retype tried beforehand, in words.
struct Rehearsed {
  std::vector<Obstacle> refused;   // by the server
  std::vector<Obstacle> warnings;  // what was not tried, and why
  std::string summary;
};
Rehearsed rehearsed(pg::Session& session, const steps::retype::Retype& retype);

/// Unique indexes that two rows would share in the new type, and CHECKs that new values would break. Reads
/// whole tables where that could be.
std::vector<Obstacle> collisions(pg::Session& session, const steps::retype::Retype& retype);

/// Throws Error(kRefused) with all of them.
void refuse_retype(const std::string& step, const std::vector<Obstacle>& obstacles);

}  // namespace pgsluice::engine
