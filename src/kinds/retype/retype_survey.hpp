#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// Something that cannot be carried over, by name, and what to do about it.
struct Obstacle {
  std::string message;
  std::string hint;
};

/// Empty: the retype can begin. For a retype that has not begun: existing shadow columns count as obstacles.
std::vector<Obstacle> retype_obstacles(pg::Session& session, const steps::retype::Retype& retype);

/// Those of them that lie in the mapping: casts and expressions that are not valid or differ between
/// sessions, and numbers that do not fit.
std::vector<Obstacle> mapping_obstacles(pg::Session& session, const steps::retype::Retype& retype);

/// The result of a rehearsal, in words.
struct Rehearsed {
  std::vector<Obstacle> refused;   // by the server
  std::vector<Obstacle> warnings;  // what was not tried, and why
  std::string summary;
};
Rehearsed rehearsed(pg::Session& session, const steps::retype::Retype& retype);

/// Unique indexes in which rows would collide in the new type, and CHECKs that new values would break. Reads
/// whole tables where that is possible.
std::vector<Obstacle> collisions(pg::Session& session, const steps::retype::Retype& retype);

/// Throws Error(kRefused) with all of them, if there are any.
void refuse_retype(const std::string& step, const std::vector<Obstacle>& obstacles);

}  // namespace pgsluice::engine
