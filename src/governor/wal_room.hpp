#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "governor/lsn.hpp"
#include "governor/polling.hpp"

namespace pgsluice::governor {

/// Whether the WAL of the next batch still fits below every limit that WAL moves. Between two readings only
/// our own batches are known, so each that has started since the last one counts with what it is foretold to
/// write. What batches write is learned from the primary's position: WAL of others counts as ours, and the
/// room is used up rather too early than too late. Pure and externally synchronised; memory is bounded by the
/// batches in work and those of one poll.
class WalRoom {
 public:
  using Batch = std::uint64_t;

  /// A reading that was asked for at `asked`: the primary's insert position, and how many bytes may be
  /// written until the first limit is reached; nullopt: no limit is moved by WAL.
  void read(TimePoint asked, std::optional<Lsn> insert, std::optional<double> bytes);

  /// How many of `rows` a batch may have now, so that it passes no limit; 0: it waits. Fewer than half of
  /// them are not worth a batch, unless no batch is in work: then as many as there is room for, and at least
  /// kRowsLeast, as long as there is any room.
  std::int64_t rows_that_fit(std::int64_t rows) const;

  /// REQUIRES: rows > 0. A batch that only reads needs no room.
  Batch started(std::int64_t rows);
  /// `rows`: that it really walked; 0 if it did not commit. REQUIRES: started().
  void ended(TimePoint now, Batch batch, std::int64_t rows);

  static constexpr std::int64_t kRowsLeast = 50;

  /// Bytes of WAL for each row; 0: not known yet.
  double price() const { return rows_ > 0 ? bytes_ / rows_ : 0; }

 private:
  /// Weight of what was learned before, with each reading: four polls count most. A checkpoint begins and
  /// page images are written again, within a second the price has followed.
  static constexpr double kMemory = 0.7;

  struct Started {
    TimePoint at;  // when it ended
    double cost = 0;
    bool is_in_work = true;
  };

  void learn(Lsn insert);
  double used() const;

  std::map<Batch, Started> batches_;
  Batch next_ = 0;
  int in_work_ = 0;
  std::optional<double> room_;
  std::optional<Lsn> insert_;
  double rows_since_ = 0;  // that were walked since the last reading
  double rows_ = 0;
  double bytes_ = 0;
};

}  // namespace pgsluice::governor
