#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// How far a retype has come, as its triggers go.
enum class SyncStage { kExpanding, kReady, kCutOver };

/// Sync triggers that are not as they were made, ENABLE ALWAYS, on a table of `made_on` or one of its
/// partitions: `trigger "a" of "public"."t" is switched off`, `… is gone`. While a retype expands some are
/// not made yet. What was written meanwhile has left its column of ours as it was. Empty: all is well. Throws
/// Failure.
std::vector<std::string> triggers_not_as_made(pg::Session& session, const Retype& retype, SyncStage stage,
                                              const std::set<std::uint32_t>& made_on);

/// Changes whenever one of our triggers is altered, also there and back. Throws Failure.
std::string trigger_marks(pg::Session& session, const Retype& retype);

}  // namespace pgsluice::steps::retype
