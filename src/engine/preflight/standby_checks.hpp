#pragma once

#include <string>
#include <vector>

#include "pg/activity/activity.hpp"
#include "pg/connection/session.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// How many standbys a COMMIT waits for according to synchronous_standby_names: "a, b" 1, "ANY 2 (a, b, c)"
/// 2. Pure.
int standbys_wanted(const std::string& names);

/// The walsenders that a COMMIT may wait for: named in synchronous_standby_names, and streaming. Pure.
int standbys_there(const std::vector<pg::Walsender>& walsenders);

/// Checks whether commits wait for standbys, and whether enough of these are connected.
void check_standbys(pg::Session& session, const pg::ReplicationView& view, Findings& findings);

}  // namespace pgsluice::engine
