#pragma once

#include <chrono>

#include "governor/polling.hpp"

namespace pgsluice::governor {

/// What a batch aims at beside others that it slows: the queue that builds up behind a batch is as long as
/// the batch, and statements of an application take some milliseconds as well. Of shorter ones the statements
/// around the UPDATE would be the greater part.
inline constexpr std::chrono::milliseconds kTargetBesideOthers{12};

/// When the next batch may start where lanes take turns beside others: lanes that paused each for itself
/// would still meet, and leave an application no core. Starts are spaced so that batches, one after the
/// other, take `share` of the time: of one lane's, so 2 is two at once. Pure and externally synchronised.
class Turns {
 public:
  /// No lane starts before, whichever it is.
  TimePoint next() const { return next_; }
  /// Nor while as many batches as fit into `share` are in work: one that takes long is waited for.
  bool may_start(TimePoint now, double share) const;

  /// Expected to take as long as the batch that ended last.
  void started(TimePoint now, double share);

  /// The next start follows from the time that the batch was at work for: 0 if none was sent, or it did not
  /// commit, for one that waited for a lock took nothing from anybody. REQUIRES: started().
  void ended(TimePoint now, std::chrono::milliseconds batch_time, double share);

 private:
  int in_work_ = 0;
  std::chrono::milliseconds batch_time_ = kTargetBesideOthers;  // until one has ended
  TimePoint next_;
};

}  // namespace pgsluice::governor
