#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "base/backoff.hpp"
#include "lanes/fill/fill.hpp"
#include "lanes/lease/lease_desk.hpp"
#include "lanes/retry/retry.hpp"
#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/gate.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/job.hpp"
#include "walk/batch_size/bisection.hpp"
#include "walk/batch_size/sizer.hpp"

namespace pgsluice::engine {

class SourceReader;

/// Where lanes connect to, and the name under which the server shows them.
struct LaneConnections {
  pg::ConnectionTarget target;
  std::string application_prefix;
};

/// What every lane is given; each reference outlives the lanes and is confined to the io thread.
struct LaneSurroundings {
  const Tunables& tunables;  // current: `set` changes them while lanes run
  LeaseDesk& desk;
  Gate& gate;
  Journal& journal;
  Tally& tally;
  const Stop& stop;
  Blockers& blockers;
  const LaneConnections& connections;
};

/// Between two attempts of a batch: short compared with the lease, long compared with a lock queue that is
/// about to clear.
inline constexpr std::chrono::milliseconds kBackoffFirst{20};
inline constexpr std::chrono::milliseconds kBackoffMax{5'000};

/// One connection with the work done on it, one batch after the other: lease a range, ask the gate, run a
/// batch, look at the outcome, go on. Confined to the io thread, except the batch itself.
class Lane {
 public:
  Lane(int number, pg::Connection& connection, LaneSurroundings surroundings);
  ~Lane() { forget_set_aside(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Works until nothing is left for it, stop is requested, or retire() was called. Throws Error if something
  /// ends the run.
  boost::asio::awaitable<void> work();

  /// Finishes the batch in flight, gives the range back, ends.
  void retire() { is_retired_ = true; }
  bool is_retired() const { return is_retired_; }

  /// A session waits for this lane: cancels its batch if it is large enough to be worth it (P4).
  boost::asio::awaitable<void> yield_to(std::string who);

  bool is_in_batch() const { return in_batch_since_.has_value(); }
  std::optional<std::chrono::steady_clock::time_point> in_batch_since() const { return in_batch_since_; }
  int backend_pid() const { return connection_.backend_pid(); }
  int number() const { return number_; }
  /// The fill whose range it walks, or walked when it failed; nullptr between ranges.
  Fill* fill() const { return fill_; }

 private:
  /// What walk() does after a batch.
  enum class Next { kGoOn, kLeaseAgain, kRangeOver, kPutOff };

  boost::asio::awaitable<void> walk(ledger::Range range, int times_put_off);
  boost::asio::awaitable<BatchOutcome> attempt(ledger::Range range, std::int64_t rows, Gate::Turn turn);
  /// The blocks of the next batch; empty for a range along a key.
  std::optional<BlockWork> next_blocks(const ledger::Range& range, std::int64_t rows);
  /// What is known about a batch before it is sent.
  std::optional<BatchOutcome> misfit_of(const BatchWork& work) const;
  /// Handles what can only happen to a range of blocks: the step's ranges are recut. False if it can go on.
  boost::asio::awaitable<bool> recut_if_misfit(const ledger::Range& range, const BatchOutcome& outcome);
  std::int64_t already_right(const BatchOutcome& outcome) const;
  Next on_committed(ledger::Range& range, const BatchOutcome& outcome, std::int64_t rows);
  boost::asio::awaitable<Next> on_retryable(ledger::Range& range, const BatchOutcome& outcome,
                                            std::int64_t rows);
  RetryFacts retry_facts(const ledger::Range& range, const BatchOutcome& outcome, std::int64_t rows) const;
  /// What blocks the batch just given up because of a lock, in words.
  std::string blocked_by(const BatchOutcome& outcome, std::int64_t rows) const;
  /// The one row, or page, of the batch that failed becomes a separate range.
  boost::asio::awaitable<Next> set_apart(ledger::Range& range, const BatchOutcome& outcome,
                                         const std::string& why);
  /// A row, or page, that alone has run into the statement_timeout too often is at fault itself.
  void note_too_slow(BatchOutcome& outcome, std::int64_t rows);
  Next on_row_fault(const ledger::Range& range, const BatchOutcome& outcome, std::int64_t rows);
  void forget_set_aside();
  /// Of a copy: what reads its rows, which lives as long as the lane works on that fill. Else nullptr.
  std::shared_ptr<SourceReader> source();
  /// Throws if a cancel ends the step or the lane instead of another attempt.
  void heed_cancel(const BatchOutcome& outcome) const;
  [[noreturn]] void fail(const BatchOutcome& outcome) const;
  void tune(const std::optional<walk::Tune>& tune);
  /// What the last batch over blocks showed about its size and its passes.
  void learn(const BlockWork& blocks, std::int64_t rows, const BatchOutcome& outcome);
  /// Those of the next batch.
  const BatchSql& statements();
  walk::Sizer& sizer() { return is_sweep_ ? fill_->sweep_sizer() : fill_->sizer(); }
  /// For the next batch of the range.
  std::int64_t rows_wanted(const ledger::Range& range);
  bool is_draining() const { return at_.stop.is_requested() || is_retired_; }

  int number_;
  pg::Connection& connection_;
  LaneSurroundings at_;
  Fill* fill_ = nullptr;
  base::Backoff jitter_;
  std::minstd_rand random_{std::random_device{}()};
  walk::Bisection bisection_;        // of the present range
  std::optional<BlockWork> blocks_;  // of the batch in flight or just over
  std::shared_ptr<SourceReader> source_;
  const Fill* source_of_ = nullptr;    // whose source that is
  std::optional<SetAside> set_aside_;  // the next batch is this row
  std::chrono::milliseconds last_batch_{0};
  std::chrono::milliseconds backoff_{0};  // before the next attempt
  int attempt_ = 1;
  int alone_tries_ = 0;      // of a single row, or page, that ran into its statement_timeout
  int times_put_off_ = 0;    // the present range
  int locking_batches_ = 0;  // still to come: others change the rows that this lane is at
  std::int64_t rows_in_flight_ = 0;
  std::optional<std::chrono::steady_clock::time_point> in_batch_since_;
  std::chrono::steady_clock::time_point last_began_{};  // a batch
  bool is_sweep_ = false;                               // of the present range
  bool is_yielding_ = false;                            // a cancel for a waiting session is on its way
  bool is_retired_ = false;
};

}  // namespace pgsluice::engine
