#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ledger/range/checkpoint.hpp"
#include "ledger/range/token.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/session.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/job.hpp"
#include "walk/blocks.hpp"
#include "walk/interleaving.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// Writes the step's UPDATE around a walk's WHERE condition.
using UpdateSql = std::function<std::string(const std::string& predicate)>;

/// A row fault met by a batch of one row: it is set aside instead of changed, if it is still the next row.
struct SetAside {
  pg::Key key;
  std::string sqlstate;
  std::string message;
};

/// Writes the step's UPDATE of one heap around a block walk's WHERE condition; a sampled one tells its WAL.
using BlockUpdateSql =
    std::function<std::string(const pg::HeapFacts& heap, const walk::Fragment& predicate, bool is_sampled)>;

/// Writes the statement that locks and counts the rows a batch is about to change: of the table, or of one
/// heap of it. Empty where nothing can leave such a row as it is: then their number is known by itself.
using SelectedSql = std::function<std::string(const pg::HeapFacts* heap, const std::string& predicate)>;

/// Where a batch of a block walk goes.
struct BlockWork {
  pg::HeapFacts heap;
  std::uint32_t table_oid = 0;  // of the step: the heap's own, or that of the partitioned table above it
  walk::BlockBatch batch;
  bool is_sweep = false;    // counts only what it changes
  bool is_sampled = false;  // tells its WAL
};

/// Why a range of blocks cannot be walked on as it was begun.
enum class Misfit {
  kNone,
  kHeapRewritten,  // the heap has another filenode, its rows are in other blocks; or is the table's no more
  kStillMatches,   // a row that was changed matches `where` again: it would be changed twice
};

/// Everything one batch needs, by value or constant for the step: it runs on the lane's own thread.
struct BatchWork {
  const walk::Keyset* keyset = nullptr;
  const UpdateSql* update_sql = nullptr;
  std::int64_t step_id = 0;
  ledger::Range range;    // REQUIRES: upper is fixed
  std::int64_t rows = 0;  // wanted
  pg::TransactionLimits limits;
  std::optional<SetAside> set_aside;  // REQUIRES: rows == 1
  const BlockUpdateSql* block_update_sql = nullptr;
  std::optional<BlockWork> blocks;  // of a range of blocks
  const SelectedSql* selected_sql = nullptr;
  bool is_always_instead = false;  // a rule does something else: the command tag counts that
};

/// How a batch ended. A value; see pg::Disposition for what must be done next.
struct BatchOutcome {
  pg::Disposition disposition = pg::Disposition::kFatal;
  bool is_fenced = false;  // rolled back: somebody else owns the range, or it was cut; take it again
  bool is_range_done = false;
  Misfit misfit = Misfit::kNone;  // rolled back
  std::string sqlstate;
  std::string message;
  bool is_connection_lost = false;
  bool is_our_cancel = false;  // for whoever waits, or as the run ends
  bool is_somebodys_cancel = false;
  bool is_session_spent = false;  // the next batch runs on another connection: take the range again first
  pg::Key position;          // reached when committed, aimed at otherwise; empty if the batch never got there
  std::int64_t walked = 0;   // rows come by
  std::int64_t visited = 0;  // of these, rows that no batch counted before
  std::int64_t changed = 0;
  std::int64_t quarantined = 0;
  std::int64_t unchanged = 0;                // selected, and left as they were; not those counted before
  std::int64_t hot = 0;                      // of the changed, by a block walk: updates that wrote no index
  std::optional<walk::BatchShown::Wal> wal;  // of a sampled batch
  std::chrono::nanoseconds duration{0};  // from BEGIN to the answer of COMMIT, as the session's thread saw it
};

/// Locks the rows that the batch selects, so that nobody else takes one away, and counts them; 0 where
/// nothing could leave one as it is. Throws Failure.
std::int64_t count_selected(pg::Session& session, const BatchWork& work, const walk::Fragment& predicate);

/// Ends the batch's transaction with its counts. What was selected and not changed goes to the step.
void count_and_commit(pg::Session& session, const BatchWork& work, const ledger::BatchCounts& counts,
                      std::int64_t selected, BatchOutcome& out);

/// Runs one batch in one transaction: where does it end, advance the position under the token, change the
/// rows, count them, commit. Blocks; never throws Failure: what went wrong is in the outcome.
BatchOutcome run_batch(pg::Session& session, const BatchWork& work);

/// The batch's timeouts: statement_timeout min(5 × target, what keeps the transaction below 0.8 ×
/// deadlock_timeout, so that the application is never the deadlock's victim), lock_timeout
/// min(throttle.lock_wait, 150 ms). `long_statements` of a batch, one after the other, share the room.
pg::TransactionLimits batch_limits(std::chrono::milliseconds target, std::chrono::milliseconds lock_wait,
                                   std::chrono::milliseconds deadlock_timeout, int long_statements = 1);

/// The batch sizes with a target that these timeouts leave room for: at most half of the statement_timeout,
/// so that an ordinary slow batch does not run into it.
BatchLimits within_deadlock_timeout(BatchLimits limits, std::chrono::milliseconds lock_wait,
                                    std::chrono::milliseconds deadlock_timeout, int long_statements = 1);

}  // namespace pgsluice::engine
