#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "governor/pace.hpp"
#include "governor/signals/slowdown.hpp"
#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/gate.hpp"
#include "lanes/throttle/readings/signal_reader.hpp"
#include "lanes/throttle/readings/work_reading.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/job.hpp"
#include "telling/journal.hpp"
#include "telling/tally.hpp"
#include "telling/wakeup.hpp"

namespace pgsluice::engine {

/// Reads the signals every governor::kPoll on its own connection, lets the governor decide, and sets the
/// gate. A slow server delays a reading; the gate then holds by itself. Confined to the io thread.
class Sampler {
 public:
  /// Which lane a server process works for; empty behind a pooler and while no lanes run.
  using LanePids = std::function<std::map<int, int>()>;
  /// Asks a lane to give way to a waiting session, described in words.
  using GiveWay = std::function<void(int lane, const std::string& who)>;
  /// Since when the oldest foreign transaction that may keep old row versions has been open; nullopt: there
  /// is none.
  using OpenSince = std::optional<governor::TimePoint>;
  using NoteTransaction = std::function<void(OpenSince)>;

  /// What its readings are passed on to; each outlives it.
  struct Listeners {
    Gate& gate;
    Journal& journal;
    Tally& tally;
    Blockers& blockers;
  };

  Sampler(pg::Connection& connection, std::string application_prefix, const Tunables& tunables,
          Listeners listeners);

  /// Called while a backfill step runs.
  void attach(LanePids lane_pids, GiveWay give_way, NoteTransaction note_transaction = nullptr);
  void detach();

  /// Samples until `over` is set, then returns: the run's end waits for that. Never throws if the server
  /// cannot be reached: without samples the gate holds.
  boost::asio::awaitable<void> run(const Over& over);

  /// In words, that a COMMIT of ours is waiting for a standby and for how long; empty: none is, or not for
  /// long.
  std::string commit_wait(governor::TimePoint now) const;

  const std::vector<governor::Sample>& samples() const { return samples_; }

 private:
  struct Poll;

  Poll read(pg::Session& session);
  /// Between two polls: counts the sessions at work.
  boost::asio::awaitable<void> look_around(governor::TimePoint until, bool is_start, const Over& over);
  void observe(const AtWork& reading, governor::TimePoint asked);
  void take(const Poll& poll, governor::TimePoint taken_at);
  void decide(governor::TimePoint now);
  /// Before the next poll is due, because lanes wait for room.
  bool is_reading_wanted(governor::TimePoint last) const;

  pg::Connection& connection_;
  std::string prefix_;
  const Tunables& tunables_;
  Gate& gate_;
  Journal& journal_;
  Tally& tally_;
  Blockers& blockers_;
  std::string refused_;  // why the last reading was refused, as reported
  LanePids lane_pids_;
  GiveWay give_way_;
  NoteTransaction note_transaction_;
  std::vector<std::unique_ptr<SignalReader>> signals_;
  governor::Slowdown slowdown_;  // looked at between polls as well
  governor::PaceState pace_;
  governor::Flow flow_ = governor::Flow::kGo;  // last reported
  std::string signal_;                         // last reported as the cause of a hold
  std::vector<governor::Sample> samples_;
  std::optional<governor::Lsn> insert_;  // where the WAL ended at the last poll
  governor::TimePoint read_at_;          // when that was asked for
};

}  // namespace pgsluice::engine
