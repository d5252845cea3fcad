#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lanes/batch/batch_sql.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/token.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/connection/session.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/job.hpp"
#include "walk/blocks.hpp"
#include "walk/interleaving.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

class SourceReader;

/// Where a batch of a block walk goes.
struct BlockWork {
  pg::HeapFacts heap;
  std::uint32_t table_oid = 0;  // of the step's table: the heap itself, or the partitioned table above it
  walk::BlockBatch batch;
  bool is_sweep = false;    // counts only what it changes
  bool is_sampled = false;  // reports its WAL
};

/// Why a walk over a range of blocks cannot continue as it began.
enum class Misfit {
  kNone,
  kHeapRewritten,  // the heap has another filenode, so its rows are in other blocks; or it no longer belongs
                   // to the table
  kStillMatches,   // a changed row still matches `where`: it would be changed twice
};

/// Everything one batch needs, by value or constant for the step: it runs on the lane's own thread.
struct BatchWork {
  const walk::Keyset* keyset = nullptr;
  const BatchSql* sql = nullptr;
  std::int64_t step_id = 0;
  ledger::Range range;    // REQUIRES: upper is fixed
  std::int64_t rows = 0;  // wanted
  pg::TransactionLimits limits;
  std::optional<SetAside> set_aside;     // REQUIRES: rows == 1
  std::optional<BlockWork> blocks;       // of a range of blocks
  std::shared_ptr<SourceReader> source;  // of a copy: where its rows come from
  bool is_always_instead = false;        // a rule does something else instead: the command tag counts that
};

/// How a batch ended. A value; see pg::Disposition for what must be done next.
struct BatchOutcome {
  pg::Disposition disposition = pg::Disposition::kFatal;
  bool is_fenced = false;  // rolled back: another run owns the range, or it was split; lease it again
  bool is_range_done = false;
  bool is_missing_rows = false;   // rolled back: others changed rows that it was about to change
  Misfit misfit = Misfit::kNone;  // rolled back
  std::string sqlstate;
  std::string message;
  bool is_connection_lost = false;
  bool is_our_cancel = false;  // for a session that waits, or because the run ends
  bool is_somebodys_cancel = false;
  bool is_session_spent = false;  // the next batch needs another connection: lease the range again first
  std::int64_t asked = 0;         // rows, where that is not what the lane wanted: read ahead, or large rows
  pg::Key position;          // reached when committed, aimed at otherwise; empty if the batch never got there
  std::int64_t walked = 0;   // rows visited, counted or not
  std::int64_t visited = 0;  // of these, rows that no batch has counted before
  std::int64_t changed = 0;
  std::int64_t quarantined = 0;
  std::int64_t named = 0;                    // of the quarantined, by BatchSql::naming: no fault, so no limit
  std::int64_t unchanged = 0;                // selected but left unchanged; not those counted before
  std::int64_t hot = 0;                      // of the changed, in a block walk: updates that wrote no index
  std::optional<walk::BatchShown::Wal> wal;  // of a sampled batch
  std::chrono::nanoseconds duration{0};  // from BEGIN to the answer of COMMIT, as the session's thread saw
                                         // it; of a batch without either, the whole attempt
};

/// Locks the rows that the batch selects, so that no other session removes one, and counts them; 0 if nothing
/// could leave one unchanged. Throws Failure.
std::int64_t count_selected(pg::Session& session, const BatchWork& work, const walk::Fragment& predicate);

/// Throws Failure if column `column` of the batch's answer is there and false: rows would not be as the
/// archive wants them.
void refuse_if_unfit(const pg::Rows& answer, std::size_t column);

/// Sends what comes before the batch's own statement. Throws Failure.
void run_before(pg::Session& session, const BatchWork& work, const walk::Fragment& predicate);

/// Ends the batch's transaction with its counts. The number of rows selected but not changed goes to the
/// step.
void count_and_commit(pg::Session& session, const BatchWork& work, const ledger::BatchCounts& counts,
                      std::int64_t selected, BatchOutcome& out);

/// Rolls back if the batch read rows that it then did not change: others changed them or their keys in the
/// meantime, and the next attempt sees that.
bool is_missing_rows(pg::Session& session, const BatchWork& work, std::int64_t missed, BatchOutcome& out);

/// Runs one batch in one transaction: finds where it ends, advances the position under the token, changes the
/// rows, counts them, commits. Blocks; never throws Failure: what went wrong is in the outcome.
BatchOutcome run_batch(pg::Session& session, const BatchWork& work);

/// The batch's timeouts: statement_timeout is min(5 × target, what keeps the transaction below 0.8 ×
/// deadlock_timeout, so that the application is never the deadlock victim), lock_timeout is
/// min(throttle.lock_wait, 150 ms). A batch's `long_statements` run one after the other and share that time.
pg::TransactionLimits batch_limits(std::chrono::milliseconds target, std::chrono::milliseconds lock_wait,
                                   std::chrono::milliseconds deadlock_timeout, int long_statements = 1);

/// The batch limits with a target that fits these timeouts: at most half of the statement_timeout, so that an
/// ordinary slow batch does not hit it.
BatchLimits within_deadlock_timeout(BatchLimits limits, std::chrono::milliseconds lock_wait,
                                    std::chrono::milliseconds deadlock_timeout, int long_statements = 1);

}  // namespace pgsluice::engine
