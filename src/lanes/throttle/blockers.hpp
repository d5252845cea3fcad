#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/activity/blockers.hpp"

namespace pgsluice::engine {

/// The foreign sessions that lanes wait for: who they are, and since when every lane has had only lock
/// timeouts. Facts in, words out; confined to the io thread.
class Blockers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Seen {
    std::string who;  // "pid 4711 (app, psql, idle in transaction, UPDATE users), in a transaction for 12 s"
    bool is_for_table = false;
    TimePoint at;
    std::string sessions{};  // "4711, 4712": the same as long as it waits for the same ones
  };

  /// What the server reported at `at`, about lanes whose application_name ends with their number.
  void seen(const std::vector<pg::Blocker>& blockers, TimePoint at);
  /// Who was seen to block that lane, at `since` or later.
  std::optional<Seen> of(int lane, TimePoint since) const;

  /// Who was seen at `since` or later to block a session that is not a lane's: all of them, in words.
  std::optional<Seen> apart(TimePoint since) const;

  /// A batch was given up because of a lock. `what` is the full text: "row (17) of table … is locked by pid
  /// 4711".
  void gave_up(const std::string& what, TimePoint now);
  /// A batch of any lane has committed, or nothing waits any more.
  void clear();

  /// Since when locks have kept every lane from committing; nullopt: they have not.
  std::optional<TimePoint> since() const { return since_; }
  const std::string& reason() const { return reason_; }

 private:
  std::map<int, Seen> seen_;  // by lane, the last one
  std::optional<Seen> apart_;
  std::optional<TimePoint> since_;
  std::string reason_;
};

/// "pid 4711 (app, psql, idle in transaction, UPDATE users), in a transaction for 12 s". It contains no data
/// from statements.
std::string in_words(const pg::Blocker& blocker);

}  // namespace pgsluice::engine
