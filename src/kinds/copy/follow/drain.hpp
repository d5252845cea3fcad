#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kinds/copy/follow/changes.hpp"
#include "kinds/step_run/running_step.hpp"
#include "pg/connection/connection.hpp"

namespace pgsluice::engine {

/// Brings what has changed at the source to the target, entry by entry of the queues, oldest first: the one
/// owner under the ledger's token. Lives as long as the following in one run. Confined to the io thread; what
/// it is given outlives it.
class Drain {
 public:
  struct Of {
    RunningStep& step;  // the act that follows
    std::shared_ptr<const FollowedTables> tables;
    std::string marks;  // of them at the source, as installed
    pg::Connection& source;
  };
  Drain(Of of, ledger::Token token) : of_(std::move(of)), token_(std::move(token)) {}

  const ledger::Token& token() const { return token_; }
  const FollowedTables& tables() const { return *of_.tables; }
  const std::string& marks() const { return of_.marks; }

  /// What a look found.
  struct Look {
    bool is_empty = false;   // the queues were
    bool is_all = false;     // nothing that was there is left
    bool is_fenced = false;  // another run has the follow
  };
  /// Looks once, and brings what it finds. Throws Error if a table of the source is not what was installed
  /// on, or a change cannot be applied for good; Failure.
  boost::asio::awaitable<Look> look();
  /// Until nothing is left of what was there, a stop is requested, or until then. True: nothing is left.
  boost::asio::awaitable<bool> catch_up(std::chrono::steady_clock::time_point until);

  Behind behind() const;
  std::chrono::milliseconds batch_time() const { return batch_time_; }

 private:
  /// A failure of one row, or one that fewer entries may avoid.
  struct Trouble {
    std::string sqlstate;
    std::string message;
  };
  struct Seen;
  struct Brought;

  boost::asio::awaitable<std::shared_ptr<const Seen>> read();
  boost::asio::awaitable<std::shared_ptr<const Brought>> apply(std::shared_ptr<const Seen> seen);
  boost::asio::awaitable<void> forget(std::shared_ptr<const Seen> seen,
                                      std::shared_ptr<const Brought> brought);
  /// Rows were left for want of what they refer to. Throws Error once that has gone on for too long.
  boost::asio::awaitable<void> wait_for_families(const Seen& seen, const Brought& brought);
  /// Takes more or fewer entries next time, or waits; throws Error once that has gone on for too long.
  boost::asio::awaitable<void> give_way(Trouble trouble, std::shared_ptr<const Seen> seen);
  void require_marks(const Changes& changes) const;
  void match(std::chrono::nanoseconds took, bool is_full);

  /// Entries of one look. Measured: 500 are brought at 75,000 entries a second, and more gain little; what
  /// rows exchange or refer to is looked for among so many.
  static constexpr std::int64_t kEntriesMost = 10'000;

  Of of_;
  ledger::Token token_;
  std::int64_t entries_ = 500;  // to look for next
  std::int64_t left_ = 0;
  std::optional<std::chrono::milliseconds> deadlock_timeout_;
  std::optional<std::chrono::steady_clock::time_point> caught_up_at_;
  std::optional<std::chrono::steady_clock::time_point> failing_since_;
  std::optional<std::chrono::steady_clock::time_point> putting_off_since_;
  bool is_told_ = false;      // that failure
  bool is_together_ = false;  // the next entries were found to belong together: they may take longer
  std::chrono::milliseconds batch_time_{0};
};

}  // namespace pgsluice::engine
