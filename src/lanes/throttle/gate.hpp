#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "governor/pace.hpp"
#include "governor/turns.hpp"
#include "governor/wal_room.hpp"
#include "telling/stop.hpp"
#include "telling/wakeup.hpp"

namespace pgsluice::engine {

/// Every lane asks here before each batch. Holds while the governor's decision or an operator's pause says
/// so, and waits between batches as the pace requires. While others are at work, lanes take turns. Confined
/// to the io thread.
class Gate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Takes over the governor's decision. A decision that is not renewed within governor::kSampleAgeMax holds:
  /// no fresh sample, no new batch.
  void decide(const governor::Decision& decision, TimePoint now);
  /// Takes over a reading that was asked for at `asked`: where the primary's WAL ends, and how much may be
  /// written until a limit is reached. No batch starts that is foretold to write more.
  void read_room(TimePoint asked, std::optional<governor::Lsn> insert, std::optional<double> bytes) {
    room_.read(asked, insert, bytes);
    changed_.notify();
  }
  /// A lane is ready and waits for room: a new reading is worth its cost.
  bool is_waiting_for_room() const { return waiting_for_room_ > 0; }
  /// Of the time that lanes have worked or waited since the last call, the share that they waited for room.
  double take_waited(TimePoint now);
  void pause(const std::string& reason);
  void resume();
  /// No batch starts while it is set: the sampler observes others without us. Too short to be reported.
  void make_room(bool is_wanted);

  bool is_open(TimePoint now) const;
  bool is_paused() const { return pause_reason_.has_value(); }
  /// The reason in words; empty when open at full pace.
  std::string reason(TimePoint now) const;
  double pace(TimePoint now) const;
  const governor::Decision& decision() const { return decision_; }
  /// Notes whether lanes are held. To be called several times a second.
  void look(TimePoint now);
  /// As of the last look: since when lanes have been held, for whatever reason, without a break. nullopt
  /// while no lane asks: an index build does not wait for replicas.
  std::optional<TimePoint> held_since() const { return held_since_; }

  /// For use between steps: returns when no operator's pause is in force, or stop is requested.
  boost::asio::awaitable<void> pass_pause(const Stop& stop);

  /// A batch in progress, until it is destroyed. The gate outlives it.
  class Turn {
   public:
    Turn() = default;  // no turn: the gate was left because of a stop
    Turn(Gate& gate, int lanes, std::optional<governor::WalRoom::Batch> batch, std::int64_t rows)
        : gate_(&gate), lanes_(lanes), batch_(batch), rows_(rows) {}
    Turn(Turn&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)),
          lanes_(other.lanes_),
          batch_(other.batch_),
          rows_(other.rows_),
          worked_(other.worked_),
          walked_(other.walked_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { end(); }

    /// Reports the server time of a batch that did not fail, for one that only waited for a lock used none,
    /// and the rows that it walked: 0 for a batch that only read.
    void worked(std::chrono::nanoseconds time, std::int64_t rows = 0) {
      worked_ = time;
      walked_ = rows;
    }
    /// How many rows the batch may have: as many as were asked for, or as many as there is room for.
    std::int64_t rows() const { return rows_; }
    void end() {
      if (gate_) std::exchange(gate_, nullptr)->end_turn(*this);
    }

   private:
    friend class Gate;
    Gate* gate_ = nullptr;
    int lanes_ = 1;
    std::optional<governor::WalRoom::Batch> batch_;  // nullopt: it only reads
    std::int64_t rows_ = 0;
    std::chrono::nanoseconds worked_{0};
    std::int64_t walked_ = 0;
  };

  /// Returns when the next batch may start, or stop is requested, or at `until` without a turn. `batch_time`
  /// is what this lane's last one took, 0 before its first; `lanes` share the turns; `rows` are what the
  /// batch is to change, 0 if it only reads. Hold the turn while the batch is in progress.
  boost::asio::awaitable<Turn> pass(std::chrono::milliseconds batch_time, int lanes, const Stop& stop,
                                    TimePoint until = TimePoint::max(), std::int64_t rows = 0);

 private:
  class Waiting;

  bool is_stale(TimePoint now) const;
  /// When the lane may start, if nothing changes; nullopt: something has to change first, which is notified.
  std::optional<TimePoint> due(Waiting& waiting, TimePoint paused_until, double share) const;
  /// To be called before anything changes that it counts.
  void count_time(TimePoint now);
  void end_turn(const Turn& turn);

  governor::Decision decision_;  // starts as a hold: nothing has been sampled yet
  std::optional<TimePoint> decided_at_;
  std::optional<std::string> pause_reason_;
  bool makes_room_ = false;
  std::optional<TimePoint> held_since_;
  std::set<std::uint64_t> waiting_;  // in pass() or pass_pause(): their tickets, first come first served
  std::uint64_t next_ticket_ = 0;
  governor::Turns turns_;
  governor::WalRoom room_;
  int waiting_for_room_ = 0;
  int in_work_ = 0;                     // turns that have not ended
  TimePoint counted_to_;                // of the times below
  std::chrono::nanoseconds waited_{0};  // for room, of all lanes together, since the last take_waited()
  std::chrono::nanoseconds there_{0};   // that lanes worked or waited for anything
  Wakeup changed_;                      // a lane that waits may be allowed to start
};

}  // namespace pgsluice::engine
