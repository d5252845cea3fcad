#pragma once

#include <chrono>

#include "governor/polling.hpp"

namespace pgsluice::governor {

/// Batch target while it slows others: the queue that builds up behind a batch is as long as the batch, and
/// an application's statements also take a few milliseconds. In a shorter batch the statements around the
/// UPDATE would take most of the time.
inline constexpr std::chrono::milliseconds kTargetBesideOthers{12};

/// When the next batch may start while lanes take turns next to others: lanes that paused independently would
/// still coincide, and leave an application no core. Starts are spaced so that batches, one after the other,
/// take `share` of one lane's time; 2 means two at once. Pure and externally synchronised.
class Turns {
 public:
  /// No lane starts before this time.
  TimePoint next() const { return next_; }
  /// Nor while as many batches as fit into `share` are in progress: it waits for one that takes long.
  bool may_start(TimePoint now, double share) const;

  /// The batch is expected to take as long as the one that ended last.
  void started(TimePoint now, double share);

  /// The next start follows from the batch's working time: 0 if none was sent or it did not commit, because
  /// one that waited for a lock took no resources. REQUIRES: started().
  void ended(TimePoint now, std::chrono::milliseconds batch_time, double share);

 private:
  int in_work_ = 0;
  std::chrono::milliseconds batch_time_ = kTargetBesideOthers;  // until one has ended
  TimePoint next_;
};

}  // namespace pgsluice::governor
