#include "kinds/purge/drop_partition.hpp"

#include "base/failpoint.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/index_build/run_alone.hpp"
#include "kinds/purge/wait_watch.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

// Noted before the partition is detached: one that somebody else has detached is not ours to drop.
constexpr const char* kDetaching = "detaching";
constexpr const char* kDetachLock = "SHARE UPDATE EXCLUSIVE, no lock_timeout";
constexpr std::chrono::milliseconds kNoTimeout{0};  // reads a whole partition
constexpr std::chrono::seconds kRetryWait{1};       // between two attempts at the lock

std::string alter(const WholePartition& partition, const char* how) {
  return "ALTER TABLE " + partition.parent_sql + " DETACH PARTITION " + partition.table_sql + " " + how;
}

std::string lock_sql(const WholePartition& partition) {
  return "LOCK TABLE " + partition.table_sql + " IN ACCESS EXCLUSIVE MODE";
}

/// What ends it: it is dropped, or becomes part of the archive.
std::string last_sql(const WholePartition& partition) {
  return partition.archive_sql.empty() ? "DROP TABLE " + partition.table_sql : attach_sql(partition);
}

std::string last_lock(const WholePartition& partition) {
  return partition.archive_sql.empty() ? "ACCESS EXCLUSIVE, held already"
                                       : "SHARE UPDATE EXCLUSIVE on " + partition.archive_sql;
}

bool holds_rows_that_stay(pg::Session& session, const WholePartition& partition) {
  return pg::in_transaction(session, {std::chrono::milliseconds{1'000}, kNoTimeout, true},
                            [&] { return session.exec_cancellable(partition.stays_sql, {}).boolean(0, 0); });
}

/// Who holds the table's lock, which was not to be had in time; nullopt: it is dropped.
std::optional<std::string> take_away(pg::Session& session, const WholePartition& partition) try {
  return pg::in_transaction(session, {steps::kDdlLockTimeout, kNoTimeout, true}, [&] {
    session.exec(lock_sql(partition));
    // The name may belong to another table by now.
    const auto oid = session.exec("SELECT pg_catalog.to_regclass($1)::oid", {partition.table_sql});
    if (partition_state(session, partition) != PartitionState::kDetached ||
        oid.integer(0, 0) != partition.oid)
      throw Error(ExitCode::kRefused,
                  "table " + partition.table_sql + " is not what it was when it was detached",
                  "look at it, and run again");
    session.exec(last_sql(partition));
    return std::optional<std::string>{};
  });
} catch (const pg::Failure& f) {
  if (f.is_connection_lost()) throw;
  if (f.sqlstate() != pg::kLockNotAvailable && !partition.archive_sql.empty())
    throw Error(exit_code_of(f.sqlstate()),
                "table " + partition.table_sql + ", detached from " + partition.parent_sql +
                    ", cannot become part of archive " + partition.archive_sql + ": " + f.what(),
                "make room for it there, then run again: it has all its rows");
  if (f.sqlstate() != pg::kLockNotAvailable) throw;
  const auto holders = pg::lock_holders(session, partition.table_sql);
  return "table " + partition.table_sql + " is locked by " +
         (holders.empty() ? "another session" : holders.front());
}

/// What the partition is now, and whether it may go on.
struct Standing {
  PartitionState state = PartitionState::kGone;
  std::string obstacle;  // why it is left as it is; empty: nothing stands in the way
};

Standing look_at(pg::Session& session, const WholePartition& partition, bool is_ours) {
  Standing look{partition_state(session, partition), {}};
  if (look.state == PartitionState::kArchived) return look;
  const bool is_open = look.state == PartitionState::kAttached || look.state == PartitionState::kDetached;
  if (look.state == PartitionState::kElsewhere)
    look.obstacle = "it is a partition of another table now";
  else if (look.state != PartitionState::kAttached && look.state != PartitionState::kGone && !is_ours)
    look.obstacle = "somebody else has detached it";
  else if (is_open && holds_rows_that_stay(session, partition))
    look.obstacle = "it holds rows that do not match `where`";
  return look;
}

asio::awaitable<void> note_detaching(RunningStep& step, pg::Connection& own) {
  std::function<bool(pg::Session&)> note = [id = step.record.step_id](pg::Session& s) {
    ledger::set_step_detail(s, id, kDetaching);
    return true;
  };
  co_await keep_trying<bool>(own, note, step.journal, step.stop);
}

/// A partition that is detached already is invisible: then it is no matter of a warning.
void tell(RunningStep& step, const WholePartition& partition, const Standing& found) {
  const auto what = "partition " + partition.table_sql + " is not " +
                    (partition.archive_sql.empty() ? "dropped: " : "archived: ") + found.obstacle;
  if (found.state == PartitionState::kDetached && step.record.detail == kDetaching)
    throw Error(ExitCode::kFailed, what + "; it was detached and is a table of its own",
                "attach it again, or look what its rows are");
  step.journal.warn(what, "rows of it that match go in batches, if it is still part of the table");
}

asio::awaitable<void> finish(RunningStep& step, pg::Connection& own, WholePartition partition, int attempt) {
  if (attempt > steps::kDdlAttempts)
    throw Error(ExitCode::kFailed,
                "table " + partition.table_sql + ", detached from " + partition.parent_sql +
                    ", could not be locked in " + std::to_string(steps::kDdlAttempts) + " attempts",
                "end the sessions that use it or its archive, then run again: the job goes on with it then");
  step.journal.write(event::Statement{step.record.name, last_sql(partition), "ACCESS EXCLUSIVE"});
  using Locked = std::optional<std::string>;
  std::function<Locked(pg::Session&)> try_it = [partition](pg::Session& s) {
    return take_away(s, partition);
  };
  const auto locked = co_await keep_trying<Locked>(own, try_it, step.journal, step.stop);
  if (!locked) co_return;
  const auto wait = std::chrono::duration<double>(kRetryWait).count();
  step.journal.write(
      event::BatchFailed{0, 0, std::string(pg::kLockNotAvailable), *locked, attempt, "retry", wait});
  co_await sleep_unless_stopped(kRetryWait, step.stop);
}

asio::awaitable<void> detach_and_drop(RunningStep& step, pg::Connection& own, WholePartition partition) {
  for (int attempt = 1; !step.stop.is_requested(); ++attempt) {
    const bool is_ours = step.record.detail == kDetaching;
    std::function<Standing(pg::Session&)> ask = [=](pg::Session& s) {
      return look_at(s, partition, is_ours);
    };
    const auto look = co_await keep_trying<Standing>(own, ask, step.journal, step.stop);
    if (!look.obstacle.empty()) tell(step, partition, look);
    if (!look.obstacle.empty() || look.state == PartitionState::kGone ||
        look.state == PartitionState::kArchived)
      break;
    if (look.state == PartitionState::kDetached) {
      WholePartition gone = partition;
      co_await finish(step, own, std::move(gone), attempt);
      continue;
    }
    if (!is_ours) co_await note_detaching(step, own);
    step.record.detail = kDetaching;
    AloneStatement statement{alter(partition, "CONCURRENTLY"), kDetachLock, attempt};
    if (look.state == PartitionState::kPending) statement.sql = alter(partition, "FINALIZE");
    co_await run_alone(step, own, std::move(statement));
    base::failpoint("purge_detached");
    if (step.stop.is_requested())
      step.journal.warn("partition " + partition.table_sql + " is being detached while the run ends",
                        "run again: until then its rows may be invisible, and no other can be detached");
  }
}

}  // namespace

std::vector<PlannedStatement> drop_statements(const WholePartition& partition) {
  const auto reads = "ACCESS SHARE on " + partition.table_sql;
  std::vector<PlannedStatement> out;
  for (const auto& sql : trial_statements(partition))
    out.push_back({sql, "SHARE UPDATE EXCLUSIVE on " + partition.archive_sql + ", lock_timeout 300 ms", false,
                   "tried, and rolled back"});
  for (const auto& statement :
       std::vector<PlannedStatement>{{partition.stays_sql, reads},
                                     {alter(partition, "CONCURRENTLY"), kDetachLock},
                                     {partition.stays_sql, reads},
                                     {lock_sql(partition), "ACCESS EXCLUSIVE, lock_timeout 300 ms"},
                                     {last_sql(partition), last_lock(partition)}})
    out.push_back(statement);
  return out;
}

asio::awaitable<void> run_drop_partition(RunningStep& step, WholePartition partition) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto own = step.own.open("partition");
  const auto range = co_await lease_single(step, *own);
  if (!range) co_return;
  const Story story = [&] { return detach_and_drop(step, *own, partition); };
  std::string what = "DETACH PARTITION " + partition.table_sql;
  co_await run_watched(step, *own, std::move(what), story);
  if (!step.stop.is_requested()) co_await mark_done(step, *own, range->token);
}

}  // namespace pgsluice::engine
