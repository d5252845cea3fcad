#include "engine/cutover.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "engine/ddl_statements.hpp"
#include "engine/operator_act.hpp"
#include "engine/retype_facts.hpp"
#include "job/retype_definition.hpp"
#include "ledger/acts.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "ledger/undo.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "steps/retype/acts.hpp"
#include "steps/retype/readiness.hpp"
#include "steps/retype/swap.hpp"
#include "steps/sql/ddl.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

using Clock = std::chrono::steady_clock;

// The swap itself takes milliseconds; whoever cannot finish it in this time gives the locks back.
constexpr std::chrono::milliseconds kSwapTimeout{5'000};

constexpr const char* kDuplicateObject = "42710";  // a constraint of that name exists

std::vector<std::string> tables_of(const rt::Retype& retype) {
  std::vector<std::string> out;
  for (const auto& table : retype.graph.tables) out.push_back(table.sql());
  return out;
}

std::string joined(const std::vector<std::string>& statements) {
  std::string sql;
  for (const auto& statement : statements) sql += statement + ";\n";
  return sql;
}

struct SwapTimes {
  std::chrono::milliseconds locked{0};  // from the last lock to the end of COMMIT
};

/// Makes the statements once the tables can no longer change under us.
using Statements = std::function<std::vector<std::string>(const rt::Retype&)>;

/// One attempt at a transaction that needs every table of the graph for itself. `move` notes it in the
/// ledger; false: somebody else did it. Throws Failure 55P03 when a lock was not to be had in time.
std::optional<SwapTimes> attempt(pg::Session& session, const RetypeStep& step,
                                 const std::function<bool()>& move, const Statements& statements) {
  pg::TransactionLimits limits;
  limits.lock_timeout = steps::kGentleLockTimeout;
  limits.statement_timeout = kSwapTimeout;
  session.exec(pg::begin_sql(limits));
  try {
    if (!move()) {
      pg::rollback(session);
      return std::nullopt;
    }
    // Waiting in this mode stops nobody, makes the server cancel an autovacuum in our way, and keeps the
    // tables' definitions as they are while the statements are written.
    auto list = rt::lock_list(read_retype_inside(session, step).graph);
    session.exec("LOCK TABLE " + list + " IN SHARE UPDATE EXCLUSIVE MODE");
    const auto retype = read_retype_inside(session, step);
    const auto sql = joined(statements(retype));
    const auto fingerprint = rt::dependents(session, retype.graph);
    session.exec("SET LOCAL lock_timeout = " + std::to_string(steps::kDdlLockTimeout.count()));
    session.exec("LOCK TABLE " + list + " IN ACCESS EXCLUSIVE MODE");
    const auto locked = Clock::now();
    base::failpoint("cutover_locked");
    if (rt::dependents(session, retype.graph) != fingerprint)
      throw pg::Failure("55P03", "a view or policy was made on one of the tables just now", false);
    session.exec(sql);
    base::failpoint("cutover_before_commit");
    pg::commit(session);
    base::failpoint("cutover_committed");
    return SwapTimes{std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - locked)};
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

struct Words {
  std::string failed, done;
};

void swap(OperatorAct& act, const RetypeStep& step, std::int64_t step_id, const std::string& from,
          const std::string& to, const Statements& statements, const Words& words) {
  const auto tables = tables_of(read_retype(act.session(), step));
  std::optional<SwapTimes> times;
  const std::function<bool()> move = [&] {
    return ledger::move_retype(act.session(), step_id, from, to, "done");
  };
  act.insist(
      {"step \"" + step.name + "\" " + words.failed,
       "end the sessions in its way (the event log names them), then say it again",
       "nothing was changed; correct what the server says, then say it again"},
      [&] { times = attempt(act.session(), step, move, statements); },
      [&] { return holders_of(act.session(), tables); });
  if (times) act.journal().write(event::State{from, to, words.done + base::format_duration(times->locked)});
  act.store_events();
}

ledger::RetypeRecord record_of(pg::Session& session, const std::string& job, std::int64_t step_id) {
  for (auto& record : ledger::find_retypes(session, job)) {
    if (record.step_id == step_id) return record;
  }
  throw Error(ExitCode::kNoSuchJob, "job \"" + job + "\" is not in this database's ledger any more");
}

/// Adds what the old columns lost at the cut-over. What an earlier attempt added is there already.
void prepare_way_back(OperatorAct& act, const RetypeStep& step) {
  auto& session = act.session();
  for (const auto& piece : rt::acts_before_way_back(read_retype(session, step))) {
    const auto statements = ddl_statements(piece.sql);
    for (const auto& s : statements) act.journal().write(event::Statement{step.name, s.sql, s.lock});
    const std::vector<std::string> tables{statements.front().table_sql};
    act.insist(
        {"step \"" + step.name + "\" could not be undone",
         "end the sessions in its way (the event log names them), then roll back again",
         "correct what the server says, then roll back again"},
        [&] {
          try {
            steps::attempt_ddl(session, statements, [](pg::Session&) { return true; });
          } catch (const pg::Failure& f) {
            if (f.sqlstate() != kDuplicateObject) throw;
          }
        },
        [&] { return holders_of(session, tables); });
    base::failpoint("way_back_act");
  }
}

std::vector<ledger::RetypeRecord> require_retypes(pg::Session& session, const std::string& job) {
  auto records = ledger::is_installed(session) ? ledger::find_retypes(session, job)
                                               : std::vector<ledger::RetypeRecord>{};
  if (records.empty() && !(ledger::is_installed(session) && ledger::find_job(session, job)))
    throw Error(ExitCode::kNoSuchJob, "no job \"" + job + "\" in this database's ledger",
                "pgsluice status lists the jobs");
  if (records.empty())
    throw Error(ExitCode::kRefused, "job \"" + job + "\" has no retype step", "there is nothing to cut over");
  return records;
}

}  // namespace

void cut_over_step(pg::Session& session, const std::string& job, const RetypeStep& step, std::int64_t step_id,
                   const std::function<void(EventBody)>& tell) {
  const auto record = record_of(session, job, step_id);
  if (record.detail == RetypeDetail::kCutOver || record.detail == RetypeDetail::kContracted) return;
  if (record.detail != RetypeDetail::kReady)
    throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over",
                "pgsluice run goes on with it");
  OperatorAct act(session, job, record.job_id, tell);
  swap(act, step, step_id, RetypeDetail::kReady, RetypeDetail::kCutOver,
       [&](const rt::Retype& retype) {
         const auto missing = rt::missing_twins(session, retype);
         if (!missing.empty())
           throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over: " + missing,
                       "it was added since; say pgsluice run, which makes what is missing");
         return rt::cutover_statements(retype, rt::bound_objects(session, retype.graph));
       },
       {"could not be cut over", "new columns have the old ones' names; locks were held for "});
}

void cut_over_job(pg::Session& session, const std::string& job, const std::function<void(EventBody)>& tell) {
  bool is_any = false;
  for (const auto& record : require_retypes(session, job)) {
    if (record.detail != RetypeDetail::kReady) continue;
    is_any = true;
    cut_over_step(session, job, job::retype_of_definition(record.definition), record.step_id, tell);
  }
  if (!is_any)
    throw Error(ExitCode::kRefused, "no step of job \"" + job + "\" is ready for cut-over",
                "pgsluice status " + job + " shows where it stands");
}

void contract_job(pg::Session& session, const std::string& job, const std::function<void(EventBody)>& tell) {
  bool is_any = false;
  for (const auto& record : require_retypes(session, job)) {
    if (record.detail != RetypeDetail::kCutOver) continue;
    is_any = true;
    OperatorAct act(session, job, record.job_id, tell);
    swap(act, job::retype_of_definition(record.definition), record.step_id, RetypeDetail::kCutOver, RetypeDetail::kContracted,
         [](const rt::Retype& retype) { return rt::contract_statements(retype); },
         {"could not be contracted", "the old columns are gone; locks were held for "});
  }
  if (!is_any)
    throw Error(ExitCode::kRefused, "no step of job \"" + job + "\" is cut over",
                "pgsluice status " + job + " shows where it stands");
}

void roll_back_retype(OperatorAct& act, const std::string& job, const RetypeStep& step,
                      std::int64_t step_id) {
  auto& session = act.session();
  const auto record = record_of(session, job, step_id);
  if (record.detail == RetypeDetail::kCutOver) {
    prepare_way_back(act, step);
    swap(act, step, step_id, RetypeDetail::kCutOver, RetypeDetail::kSwappedBack,
         [&](const rt::Retype& retype) {
           return rt::way_back_statements(retype, rt::bound_objects(session, retype.graph));
         },
         {"could not be undone", "old columns have their names again; locks were held for "});
  } else if (record.detail == RetypeDetail::kBegun || record.detail == RetypeDetail::kReady) {
    swap(act, step, step_id, record.detail, RetypeDetail::kSwappedBack,
         [](const rt::Retype& retype) { return rt::abandon_statements(retype); },
         {"could not be undone", "the new columns are gone; locks were held for "});
  }
  base::failpoint("rollback_before_note");
  pg::in_transaction(session, {}, [&] {
    ledger::forget_acts(session, step_id);
    return ledger::mark_rolled_back(session, step_id);
  });
}

}  // namespace pgsluice::engine
