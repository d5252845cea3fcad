#include "lanes/throttle/blockers.hpp"

#include <charconv>

#include "base/units.hpp"
#include "governor/signals/lock_waits.hpp"

namespace pgsluice::engine {
namespace {

/// "pgsluice 3f2a9c1e lane 7" → 7; 0 for a session that is not a lane.
int lane_of(const std::string& application_name) {
  const auto space = application_name.rfind(' ');
  int number = 0;
  if (space == std::string::npos) return number;
  std::from_chars(application_name.data() + space + 1, application_name.data() + application_name.size(),
                  number);
  return number;
}

}  // namespace

std::string in_words(const pg::Blocker& blocker) {
  if (blocker.pid == 0) return "a prepared transaction (see pg_prepared_xacts)";
  std::string about;
  for (const auto& part :
       {blocker.user, blocker.application, blocker.state, governor::command_of(blocker.query)}) {
    if (!part.empty()) about += (about.empty() ? "" : ", ") + part;
  }
  std::string words = "pid " + std::to_string(blocker.pid);
  if (!about.empty()) words += " (" + about + ")";
  const std::chrono::seconds open{static_cast<std::int64_t>(blocker.open_s)};
  return blocker.open_s < 1 ? words : words + ", in a transaction for " + base::format_duration(open);
}

void Blockers::seen(const std::vector<pg::Blocker>& blockers, TimePoint at) {
  Seen apart{{}, false, at};
  for (const auto& blocker : blockers) {
    if (const int lane = lane_of(blocker.waiting); lane > 0) {
      seen_[lane] = {in_words(blocker), blocker.is_for_table, at};
      continue;
    }
    apart.who += (apart.who.empty() ? "" : "; ") + in_words(blocker);
    apart.sessions += std::to_string(blocker.pid) + " ";
  }
  if (!apart.who.empty()) apart_ = std::move(apart);
}

std::optional<Blockers::Seen> Blockers::apart(TimePoint since) const {
  if (!apart_ || apart_->at < since) return std::nullopt;
  return apart_;
}

std::optional<Blockers::Seen> Blockers::of(int lane, TimePoint since) const {
  const auto found = seen_.find(lane);
  if (found == seen_.end() || found->second.at < since) return std::nullopt;
  return found->second;
}

void Blockers::gave_up(const std::string& what, TimePoint now) {
  if (!since_) since_ = now;
  reason_ = what;
}

void Blockers::clear() {
  since_.reset();
  reason_.clear();
}

}  // namespace pgsluice::engine
