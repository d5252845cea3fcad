#include "engine/preflight/standby_checks.hpp"

#include <algorithm>
#include <regex>

#include "pg/activity/health.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {

int standbys_wanted(const std::string& names) {
  static const std::regex kNumbered(R"(^\s*(?:(?:first|any)\s+)?(\d{1,4})\s*\()", std::regex::icase);
  std::smatch found;
  return std::regex_search(names, found, kNumbered) ? std::stoi(found[1]) : 1;
}

int standbys_there(const std::vector<pg::Walsender>& walsenders) {
  return static_cast<int>(std::count_if(walsenders.begin(), walsenders.end(), [](const auto& w) {
    return w.state == "streaming" && !w.sync_state.empty() && w.sync_state != "async";
  }));
}

void check_standbys(pg::Session& session, const pg::ReplicationView& view, Findings& findings) {
  const auto names = pg::synchronous_standby_names(session);
  if (names.empty()) return;
  const auto setting = "synchronous_standby_names is " + pg::literal(names);
  const int wanted = standbys_wanted(names);
  if (const int there = standbys_there(view.walsenders); there < wanted) {
    findings.warn("synchronous standbys",
                  setting + ", and of the " + std::to_string(wanted) + " that a COMMIT waits for " +
                      (there == 0 ? "none is" : "only " + std::to_string(there) + " are") + " connected",
                  "start the standby or correct the setting: until then all COMMITs wait, and the run holds");
  }
  findings.warn(
      "synchronous standbys", setting + ", but batches commit asynchronously",
      "a failover can lose the last batches: rows and position together, so the next run does them again");
}

}  // namespace pgsluice::engine
