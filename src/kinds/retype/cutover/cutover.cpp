#include "kinds/retype/cutover/cutover.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/operator_act.hpp"
#include "kinds/index_build/index.hpp"
#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/readiness.hpp"
#include "kinds/retype/acts/trigger_state.hpp"
#include "kinds/retype/cutover/proof.hpp"
#include "kinds/retype/cutover/removal.hpp"
#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/cutover/sync_state.hpp"
#include "kinds/retype/definition/retype_definition.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "ledger/acts.hpp"
#include "ledger/jobs.hpp"
#include "ledger/objects.hpp"
#include "ledger/schema.hpp"
#include "ledger/undo.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

using Clock = std::chrono::steady_clock;

// The cut-over itself takes milliseconds; an attempt that takes longer than this gives its locks back.
constexpr std::chrono::milliseconds kMoveTimeout{5'000};

std::vector<std::string> tables_of(const rt::Retype& retype) {
  std::vector<std::string> out;
  for (const auto& table : retype.graph.tables) out.push_back(table.sql());
  return out;
}

/// Takes a retype from one RetypeDetail to another, in one transaction.
struct Move {
  const RetypeStep& step;
  std::int64_t step_id = 0;
  std::string from, to;
  /// Writes the statements once the tables can no longer change.
  std::function<rt::MoveScript(const rt::Retype&)> script;
  std::string failed, done;  // in words
  std::string left_behind;   // kind of column to drop from tables that have left the graph; empty: none
  std::chrono::milliseconds kill_blockers_after{0};
  /// Throws Error(kRefused) if the tables have changed since they were examined.
  std::function<void(const rt::Retype&)> once_locked{};
};

std::string lock_sql(const std::string& list, const char* mode) {
  return "LOCK TABLE " + list + " IN " + mode + " MODE";
}

/// Runs statements that take locks, all of them within `time`: lock_timeout would start again for each table
/// while the first locks are held.
void lock_within(pg::Session& session, std::chrono::milliseconds time,
                 const std::vector<std::string>& statements) {
  const auto end = Clock::now() + time;
  for (const auto& sql : statements) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    session.exec("SET LOCAL statement_timeout = " + std::to_string(std::max<std::int64_t>(1, left.count())));
    session.exec(sql);
  }
}

/// One attempt. Returns how long the application was locked out; nullopt: somebody else moved the step.
/// Throws Failure 57014 or 55P03 if it does not get the locks in time.
std::optional<std::chrono::milliseconds> attempt(pg::Session& session, const Move& move) {
  pg::begin(session, {steps::kGentleLockTimeout, kMoveTimeout, true});
  try {
    if (!ledger::move_retype(session, move.step_id, move.from, move.to, StepState::kDone)) {
      pg::rollback(session);
      return std::nullopt;
    }
    // Waiting for this mode stops nobody and makes the server cancel an autovacuum in our way; holding it
    // keeps the tables' definitions as they are while the statements are written.
    const auto owner = owner_of(session, move.step_id);
    const auto list = rt::lock_list(read_retype_inside(session, move.step, owner).graph, {});
    lock_within(session, steps::kGentleLockTimeout, {lock_sql(list, "SHARE UPDATE EXCLUSIVE")});
    session.exec("SET LOCAL statement_timeout = " + std::to_string(kMoveTimeout.count()));
    const auto retype = read_retype_inside(session, move.step, owner);
    const auto script = move.script(retype);
    const auto before = rt::dependents(session, retype.graph);
    const auto locked = Clock::now();
    auto locks = script.view_locks;
    locks.push_back(lock_sql(rt::lock_list(retype.graph, script.also_locked), "ACCESS EXCLUSIVE"));
    lock_within(session, kMoveLockTimeout, locks);
    base::failpoint("cutover_locked");
    if (rt::dependents(session, retype.graph) != before)
      throw pg::Failure(std::string(pg::kLockNotAvailable),
                        "a view or policy was made on one of the tables just now", false);
    session.exec("SET LOCAL statement_timeout = " + std::to_string(kMoveTimeout.count()));
    if (move.once_locked) move.once_locked(retype);
    if (!move.left_behind.empty())
      take_away_left_behind(session, move.step, retype, move.step_id, move.left_behind);
    session.exec(script.sql());
    if (move.to == RetypeDetail::kCutOver) {
      note_objects(session, retype, move.step_id);  // a table may have been renamed since the retype began
      note_defaults(session, retype, move.step_id);
    } else {
      for (const auto& sql : removal_of_leftovers(session, move.step_id)) session.exec(sql);
    }
    if (move.to == RetypeDetail::kContracted) ledger::forget_objects(session, move.step_id);
    base::failpoint("cutover_before_commit");
    pg::commit(session);
    base::failpoint("cutover_committed");
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - locked);
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

/// False: somebody else moved the step while this one waited for the locks.
bool carry_out(OperatorAct& act, const Move& move) {
  const auto tables = tables_of(read_retype(act.session(), move.step, owner_of(act.session(), move.step_id)));
  const auto began = Clock::now();
  std::optional<std::chrono::milliseconds> locked;
  act.insist(
      {"step \"" + move.step.name + "\" " + move.failed,
       "end the sessions in its way (the event log names them), or let --kill-blockers-after do so; then try "
       "again",
       "nothing was changed; correct what the server reports, then try again"},
      [&] { locked = attempt(act.session(), move); },
      [&] {
        auto holders = holders_of(act.session(), tables);
        if (move.kill_blockers_after.count() > 0 && Clock::now() - began > move.kill_blockers_after)
          holders += pg::end_blockers(act.session(), tables, move.kill_blockers_after);
        return holders;
      });
  if (locked)
    act.journal().write(event::State{move.from, move.to, move.done + base::format_duration(*locked)});
  act.store_events();
  return locked.has_value();
}

/// What was added or dropped since the step was ready, in words; empty: nothing.
std::string changed_since_ready(pg::Session& session, const rt::Retype& retype, std::int64_t step_id) {
  auto changed = rt::missing_twins(session, retype);
  for (const auto& left : tables_left_behind(session, retype, step_id))
    changed += (changed.empty() ? "" : ", ") + ("table " + left + " is no longer part of it");
  return changed;
}

ledger::RetypeRecord record_of(pg::Session& session, const std::string& job, std::int64_t step_id) {
  for (auto& record : ledger::find_retypes(session, job)) {
    if (record.step_id == step_id) return record;
  }
  throw Error(ExitCode::kNoSuchJob, "job \"" + job + "\" is no longer in this database's ledger");
}

/// Tables that left the graph after the cut-over keep the new type.
void leave_behind(OperatorAct& act, const rt::Retype& retype, std::int64_t step_id) {
  for (const auto& left : tables_left_behind(act.session(), retype, step_id)) {
    const auto& tables = retype.graph.tables;
    const bool is_in_graph =
        std::any_of(tables.begin(), tables.end(), [&](const auto& table) { return table.sql() == left; });
    if (is_in_graph)
      throw Error(
          ExitCode::kRefused,
          "step \"" + retype.step.name + "\" cannot go back: table " + left +
              " was detached after the cut-over, and nothing has kept its old columns in step since",
          "drop its foreign keys to the tables that go back, or the table; it then keeps the new type");
    act.journal().warn("table " + left +
                       " is no longer part of what was cut over: it keeps the new type and its old columns");
  }
}

/// Partitions that were added after the cut-over have no index over their old key yet.
void build_key_copies(OperatorAct& act, const rt::Retype& retype) {
  auto& session = act.session();
  for (const auto& copy : rt::missing_key_copies(session, retype)) {
    act.journal().write(event::Statement{retype.step.name, copy.create_sql, "SHARE UPDATE EXCLUSIVE"});
    act.store_events();
    act.insist(
        {"step \"" + retype.step.name + "\" could not be undone",
         "end the sessions in its way, then roll back again",
         "correct what the server reports, then roll back again"},
        [&] {
          steps::run_concurrently(session, steps::drop_index_sql(copy.index_sql));
          steps::run_concurrently(session, copy.create_sql);
        },
        [&] { return holders_of(session, {copy.table_sql}); });
  }
}

/// Adds what the old columns lost at the cut-over, unless an earlier attempt has added it.
void prepare_way_back(OperatorAct& act, const RetypeStep& step, std::int64_t step_id) {
  auto& session = act.session();
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  leave_behind(act, retype, step_id);
  for (const auto& changed : defaults_changed_since(session, retype, step_id))
    act.journal().warn(changed +
                       ": that default is dropped with the new column, and the old column keeps its own");
  for (const auto& column : columns_left_behind(session, retype, step_id))
    act.journal().warn(column +
                       " refers to nothing that goes back: it keeps the new type, and the old column stays");
  build_key_copies(act, retype);
  if (const auto missing = rt::missing_old_twins(session, retype); !missing.empty())
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" cannot go back: " + missing,
                "it was added after the cut-over: drop it, roll back, then create it again");
  for (const auto& piece : rt::acts_before_way_back(retype)) {
    const auto statements = ddl_statements(piece.sql);
    for (const auto& s : statements) act.journal().write(event::Statement{step.name, s.sql, s.lock});
    const std::vector<std::string> tables{statements.front().table_sql};
    act.insist(
        {"step \"" + step.name + "\" could not be undone",
         "end the sessions in its way (the event log names them), then roll back again",
         "correct what the server reports, then roll back again"},
        [&] {
          try {
            steps::attempt_ddl(session, statements, [](pg::Session&) { return true; });
          } catch (const pg::Failure& f) {
            if (f.sqlstate() != pg::kDuplicateObject) throw;
          }
        },
        [&] { return holders_of(session, tables); });
    base::failpoint("way_back_act");
  }
}

ledger::StepRecord as_step(const ledger::RetypeRecord& record) {
  return {record.step_id, "", "retype", record.state, record.detail, false};
}

std::vector<ledger::RetypeRecord> require_retypes(pg::Session& session, const std::string& job) {
  if (ledger::is_installed(session)) ledger::install(session);  // upgrades an older one
  auto records = ledger::is_installed(session) ? ledger::find_retypes(session, job)
                                               : std::vector<ledger::RetypeRecord>{};
  if (records.empty() && !(ledger::is_installed(session) && ledger::find_job(session, job)))
    throw Error(ExitCode::kNoSuchJob, "no job \"" + job + "\" in this database's ledger",
                "pgsluice status lists the jobs");
  if (records.empty())
    throw Error(ExitCode::kRefused, "job \"" + job + "\" has no retype step", "there is nothing to cut over");
  return records;
}

/// After so many, somebody keeps doing the opposite.
constexpr int kMovesOfOthersMost = 5;

Error moved_too_often(const std::string& step) {
  return {ExitCode::kRefused,
          "others cut over and rolled back step \"" + step + "\" " + std::to_string(kMovesOfOthersMost) +
              " times meanwhile",
          "find out who else is working on this job, then try again"};
}

/// False: somebody else cut over or rolled back meanwhile.
bool cut_over_once(pg::Session& session, const std::string& job, const RetypeStep& step, std::int64_t step_id,
                   const std::function<void(EventBody)>& tell) {
  const auto record = record_of(session, job, step_id);
  if (record.detail == RetypeDetail::kCutOver || record.detail == RetypeDetail::kContracted) return true;
  if (record.detail != RetypeDetail::kReady)
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over",
                "pgsluice run continues it");
  OperatorAct act(session, job, record.job_id, tell);
  const auto marks = marks_of_proof(session, step, as_step(record));
  const auto script = [&](const rt::Retype& retype) {
    refuse_other_columns(session, retype, step_id);
    if (const auto orphans = rt::orphaned_twins(session, retype); !orphans.empty())
      throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over: " + orphans,
                  "its original has been dropped: drop it too");
    const auto changed = changed_since_ready(session, retype, step_id);
    if (changed.empty()) return rt::cutover_script(retype, rt::bound_objects(session, retype.graph));
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over: " + changed,
                "something has changed since: pgsluice run makes what is missing and tidies up the rest");
  };
  return carry_out(
      act, {step, step_id, RetypeDetail::kReady, RetypeDetail::kCutOver, script, "could not be cut over",
            "the new columns have the old ones' names; at most, the tables were locked for ", "",
            step.kill_blockers_after, refuse_other_marks(session, step, marks)});
}

}  // namespace

void cut_over_step(pg::Session& session, const std::string& job, const RetypeStep& step, std::int64_t step_id,
                   const std::function<void(EventBody)>& tell) {
  for (int i = 0; i < kMovesOfOthersMost; ++i) {
    if (cut_over_once(session, job, step, step_id, tell)) return;
  }
  throw moved_too_often(step.name);
}

void cut_over_job(pg::Session& session, const std::string& job, std::chrono::milliseconds kill_blockers_after,
                  const std::function<void(EventBody)>& tell) {
  bool is_any = false;
  for (const auto& record : require_retypes(session, job)) {
    if (record.detail != RetypeDetail::kReady) continue;
    is_any = true;
    auto step = retype_of_definition(record.definition);
    step.kill_blockers_after = kill_blockers_after;
    cut_over_step(session, job, step, record.step_id, tell);
    ledger::settle_job_state(session, record.job_id);
  }
  if (!is_any)
    throw Error(ExitCode::kRefused, "no step of job \"" + job + "\" is ready for cut-over",
                "pgsluice status " + job + " shows where it stands");
}

void contract_job(pg::Session& session, const std::string& job, const ContractOptions& options,
                  const std::function<void(EventBody)>& tell) {
  bool is_any = false;
  for (const auto& record : require_retypes(session, job)) {
    if (record.detail != RetypeDetail::kCutOver) continue;
    is_any = true;
    if (!options.unproven) require_proof(session, job, record.step_id);
    OperatorAct act(session, job, record.job_id, tell);
    const auto step = retype_of_definition(record.definition);
    const RemovalMove removal{record.step_id, RetypeDetail::kCutOver, RetypeDetail::kContracted,
                              StepState::kDone, "old column"};
    if (take_away_what_is_left(act, step, removal)) continue;
    const bool is_done =
        carry_out(act, {step, record.step_id, RetypeDetail::kCutOver, RetypeDetail::kContracted,
                        rt::contract_script, "could not be contracted",
                        "the old columns are gone; at most, the tables were locked for ", "old column"});
    if (!is_done && record_of(session, job, record.step_id).detail != RetypeDetail::kContracted)
      throw Error(ExitCode::kRefused, "step \"" + step.name + "\" has been rolled back in the meantime",
                  "pgsluice status " + job + " shows where it stands");
  }
  if (!is_any)
    throw Error(ExitCode::kRefused, "no step of job \"" + job + "\" is cut over",
                "pgsluice status " + job + " shows where it stands");
}

namespace {

/// False: somebody else moved the step first.
bool take_columns_back(OperatorAct& act, const std::string& job, const RetypeStep& step,
                       std::int64_t step_id) {
  auto& session = act.session();
  const auto record = record_of(session, job, step_id);
  const bool is_before = record.detail == RetypeDetail::kBegun || record.detail == RetypeDetail::kReady;
  const RemovalMove removal{step_id, record.detail, RetypeDetail::kTakenBack, StepState::kDone, "column"};
  if ((is_before || record.detail == RetypeDetail::kCutOver) && take_away_what_is_left(act, step, removal))
    return true;
  if (record.detail == RetypeDetail::kContracted)
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" has been contracted in the meantime",
                "the old columns are gone: there is no way back");
  if (is_before)
    return carry_out(act,
                     {step, step_id, record.detail, RetypeDetail::kTakenBack, rt::abandon_script,
                      "could not be undone", "the new columns are gone; at most, the tables were locked for ",
                      "column", step.kill_blockers_after});
  if (record.detail != RetypeDetail::kCutOver) return true;
  require_triggers(session, step, as_step(record));
  prepare_way_back(act, step, step_id);
  const auto script = [&](const rt::Retype& retype) {
    return rt::way_back_script(retype, rt::bound_objects(session, retype.graph));
  };
  return carry_out(act,
                   {step, step_id, record.detail, RetypeDetail::kTakenBack, script, "could not be undone",
                    "the old columns have their names again; at most, the tables were locked for ", "",
                    step.kill_blockers_after});
}

}  // namespace

void roll_back_retype(OperatorAct& act, const std::string& job, const RetypeStep& step,
                      std::int64_t step_id) {
  bool is_done = false;
  for (int i = 0; i < kMovesOfOthersMost && !is_done; ++i)
    is_done = take_columns_back(act, job, step, step_id);
  if (!is_done) throw moved_too_often(step.name);
  base::failpoint("rollback_before_note");
  pg::in_transaction(act.session(), {}, [&] {
    ledger::forget_acts(act.session(), step_id);
    return ledger::mark_rolled_back(act.session(), step_id);
  });
}

}  // namespace pgsluice::engine
