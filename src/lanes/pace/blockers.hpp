#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/activity/blockers.hpp"

namespace pgsluice::engine {

/// The sessions of others that lanes wait for: who they are, and since when every lane has got nothing but
/// lock timeouts. Facts in, words out; confined to the io thread.
class Blockers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Seen {
    std::string who;  // "pid 4711 (app, psql, idle in transaction, UPDATE users), in a transaction for 12 s"
    bool is_for_table = false;
    TimePoint at;
  };

  /// What the server said at `at`, of lanes whose application_name ends with their number.
  void seen(const std::vector<pg::Blocker>& blockers, TimePoint at);
  /// Who was seen to block that lane, at `since` or later.
  std::optional<Seen> of(int lane, TimePoint since) const;

  /// A batch was given up because of a lock. `what` says it all: "row (17) of table … is locked by pid 4711".
  void gave_up(const std::string& what, TimePoint now);
  /// A batch of any lane has committed, or no lane works any more.
  void clear();

  /// Since when no lane has committed anything for locks; nothing: that is not so.
  std::optional<TimePoint> since() const { return since_; }
  const std::string& reason() const { return reason_; }

 private:
  std::map<int, Seen> seen_;  // by lane, the last one
  std::optional<TimePoint> since_;
  std::string reason_;
};

/// "pid 4711 (app, psql, idle in transaction, UPDATE users), in a transaction for 12 s". No data of a
/// statement gets into it.
std::string in_words(const pg::Blocker& blocker);

}  // namespace pgsluice::engine
