#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "governor/lsn.hpp"
#include "governor/polling.hpp"

namespace pgsluice::governor {

/// How late a replica is in time. Without `seconds` it is unknown, and `reason` says why.
struct LagTime {
  std::optional<double> seconds;
  std::string reason;
};

/// Turns a replica's replay position into an age, without writing heartbeats: it remembers where the
/// primary's flush position was at which time. Pure and externally synchronised. Memory is bounded
/// (kMarksMax) and still reaches back more than 24 h: the older a period, the fewer of its marks are kept.
class LsnClock {
 public:
  /// 64 kB. A day at kResolution needs at most about 2,000 marks; the rest is room until the next thinning.
  static constexpr std::size_t kMarksMax = 4'096;
  /// Thinning makes no lag of age A wrong by more than A / 128: under one per cent, and only upwards: no lag
  /// is understated.
  static constexpr int kResolution = 128;

  /// Notes the primary's flush position. A time earlier than the last one is ignored. A position that went
  /// back (failover) removes the marks above it.
  void record(TimePoint at, Lsn flush);
  /// The primary's insert position, read together with the flush position that was recorded last: what lies
  /// between them has been written, and no replica can have it yet.
  void note_insert(Lsn insert) { insert_ = insert; }

  /// Zero if the replica has replayed everything we know of. Otherwise the time since the primary was last
  /// seen at or below `replay`: never too small; too large by at most one poll, or by the resolution.
  LagTime lag_of(Lsn replay, TimePoint now) const;

  /// Bytes between the primary's last known flush position and `replay`; zero if it is ahead or nothing is
  /// known.
  std::uint64_t bytes_behind(Lsn replay) const;
  /// Bytes that a replica at `replay` has yet to replay, those included that are not flushed yet.
  std::uint64_t bytes_to_come(Lsn replay) const;
  std::optional<Lsn> insert() const { return insert_; }

  std::size_t mark_count() const { return marks_.size(); }

 private:
  struct Mark {
    TimePoint at;
    Lsn flush;
  };

  void thin_out(TimePoint now);

  std::vector<Mark> marks_;  // both fields rise strictly
  std::optional<Lsn> insert_;
};

}  // namespace pgsluice::governor
