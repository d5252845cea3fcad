#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "governor/lsn.hpp"
#include "governor/lsn_clock.hpp"
#include "governor/replay_window.hpp"
#include "governor/signal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::governor {

/// One row of pg_stat_replication.
struct ReplicaReading {
  std::string application_name;
  std::string client_addr;    // empty on a unix socket
  std::string state;          // "streaming", "catchup", "startup", "stopping", "backup"
  std::optional<Lsn> replay;  // NULL for pg_receivewal, and shortly after a replica has connected
  bool is_logical = false;    // serves a logical slot: slots have their own signal
  bool is_backup = false;     // a base backup, whatever its state
};

/// The signals replica_lag and replica_lag_bytes. Remembers every replica it has seen, so that one that is
/// gone counts as unknown and not as zero. A replica is a physical walsender that has ever reported a replay
/// position, identified by application_name and address; several may share both and are counted. A newcomer
/// with the same application_name replaces one that is gone and has not advanced since the newcomer came: a
/// replica that came back under another address, or whose old walsender lingered. Pure and externally
/// synchronised; memory grows with the replicas ever seen.
class ReplicaLag {
 public:
  /// Both signals for the worst replica, named in the reason. Empty if no replica was ever seen, or all are
  /// ignored. `clock` already holds the primary's position for this reading. Each has the room that the
  /// slowest replica leaves below the limit.
  std::vector<Sample> observe(const std::vector<ReplicaReading>& readings, const LsnClock& clock,
                              const ThrottleLimits& limits, TimePoint taken_at);

 private:
  using Identity = std::pair<std::string, std::string>;  // application_name, client_addr

  struct Present {
    int replicas = 0;  // with a replay position
    int silent = 0;    // connected without one
    Lsn slowest = 0;   // replay position of the replicas
  };
  struct Seen {
    Present latest;
    int expected = 0;       // the most replicas seen together
    int newcomers = 0;      // how many of them came last and have not replaced others yet
    Lsn slowest = 0;        // replay position when all were last present
    TimePoint joined_at;    // when the newcomers came
    TimePoint advanced_at;  // when the slowest last advanced
    TimePoint complete_at;  // when all were last present
    ReplayWindow window;    // of the slowest
  };

  void count(const std::vector<ReplicaReading>& readings, TimePoint taken_at);
  static void note(Seen& seen, const Present& group, TimePoint taken_at);
  void find_room(Sample& time, Sample& bytes, const LsnClock& clock, const ThrottleLimits& limits);
  void let_stand_in(const std::string& application_name, Seen& gone);
  std::string missing_in_words(const ThrottleLimits& limits, TimePoint now) const;
  bool has_replica(const ThrottleLimits& limits) const;

  std::map<Identity, Seen> seen_;
};

}  // namespace pgsluice::governor
