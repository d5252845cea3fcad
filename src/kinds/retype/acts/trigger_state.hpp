#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// How far a retype has come, which decides what triggers it has.
enum class SyncStage { kExpanding, kReady, kCutOver };

/// Sync triggers that are no longer as they were made, ENABLE ALWAYS, on a table of `made_on` or one of its
/// partitions: `trigger "a" of "public"."t" is switched off`, `… is gone`. While a retype expands, some do
/// not exist yet. Writes that such a trigger missed have left our column as it was. Empty: all is well.
/// Throws Failure.
std::vector<std::string> triggers_not_as_made(pg::Session& session, const Retype& retype, SyncStage stage,
                                              const std::set<std::uint32_t>& made_on);

/// Changes whenever one of our triggers is altered, even if it is altered back. Throws Failure.
std::string trigger_marks(pg::Session& session, const Retype& retype);

}  // namespace pgsluice::steps::retype
