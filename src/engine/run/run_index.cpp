// The index step of a Run, and whatever else needs a session of its own.

#include "base/failpoint.hpp"
#include "engine/run/run.hpp"
#include "kinds/ddl/asked_index.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLook{200};     // how often builds of others are looked at
constexpr std::chrono::milliseconds kNoTimeout{0};  // what a statement that may take long is given

AskedIndex asked_by(const IndexStep& step) {
  if (auto asked = asked_index(step.sql)) return std::move(*asked);
  throw Error(ExitCode::kJobFile, "step \"" + step.name + "\" names no table", "check `sql`");
}

/// What stands under its name.
struct Seen {
  std::string index_sql;
  steps::IndexState state = steps::IndexState::kMissing;
  std::string other{};  // how one that is valid differs from what the step says
};

/// One that this run has built is what the step says.
Seen look_for(pg::Session& session, const AskedIndex& asked, bool is_built) {
  Seen found;
  found.index_sql = index_sql_of(session, asked);
  found.state = steps::index_state(session, found.index_sql, asked.table_sql);
  if (found.state == steps::IndexState::kValid && !is_built)
    found.other = steps::other_definition(session, found.index_sql, asked.table_sql, asked.wanted);
  return found;
}

void refuse_foreign(const Seen& found, const std::string& table_sql) {
  if (found.state == steps::IndexState::kForeign)
    throw Error(ExitCode::kRefused,
                "the name " + found.index_sql + " belongs to something else than an index of " + table_sql,
                "give the index another name");
  if (!found.other.empty())
    throw Error(ExitCode::kRefused,
                "index " + found.index_sql + " of " + table_sql +
                    " is another one than the step says: " + found.other,
                "drop it, or give the step's index another name");
}

}  // namespace

asio::awaitable<void> Run::run_index(const IndexStep& step, ledger::StepRecord record) {
  const auto step_id = record.step_id;
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  const auto asked = asked_by(step);
  pg::Connection own(job_.direct_dsn.empty() ? target_ : pg::ConnectionTarget(job_.direct_dsn),
                     application_prefix_ + " index");
  const Lent lent(own_, own);

  const auto range = co_await lease_single(own, step_id);
  if (!range) co_return;
  // Noted before the build: who dies in it could not say any more that the index is ours to drop at rollback.
  std::function<bool(pg::Session&)> note = [=](pg::Session& s) {
    ledger::set_step_detail(s, step_id, "building");
    return true;
  };
  bool is_ours = record.detail == "building" || record.detail == "created";
  bool is_built = false;
  for (int attempt = 1; !stop_.is_requested(); ++attempt) {
    std::function<Seen(pg::Session&)> look = [=](pg::Session& s) { return look_for(s, asked, is_built); };
    const auto found = co_await keep_trying<Seen>(own, look, journal_, stop_);
    refuse_foreign(found, asked.table_sql);
    if (found.state == steps::IndexState::kValid) break;
    if (found.state == steps::IndexState::kBuilding) {
      co_await sleep_unless_stopped(kLook, stop_);  // an orphan backend of an earlier run is at it
      continue;
    }
    const bool is_leftover = found.state == steps::IndexState::kInvalid;
    if (is_leftover)
      journal_.warn("index " + found.index_sql + " is INVALID, a leftover: it is dropped and built again");
    const auto sql = is_leftover ? steps::drop_index_sql(found.index_sql) : step.sql;
    const std::string lock = is_leftover ? "SHARE UPDATE EXCLUSIVE" : asked.facts.lock;
    if (!is_ours) co_await keep_trying<bool>(own, note, journal_, stop_);
    is_ours = true;
    co_await build(own, sql, lock, attempt);
    is_built = !is_leftover;
  }
  if (stop_.is_requested()) co_return;
  std::function<bool(pg::Session&)> mark = [=, token = range->token](pg::Session& s) {
    if (is_ours) ledger::set_step_detail(s, step_id, "created");
    return ledger::mark_done(s, token);
  };
  base::failpoint("after_index");
  co_await keep_trying<bool>(own, mark, journal_, stop_);
}

asio::awaitable<void> Run::build(pg::Connection& own, std::string sql, std::string lock, int attempt) {
  journal_.write(event::Statement{step_name_, sql, lock});
  co_await keeper_->flush_journal();
  std::function<bool(pg::Session&)> run = [sql](pg::Session& s) {
    steps::run_concurrently(s, sql);
    return true;
  };
  std::exception_ptr error;
  std::string message;
  try {
    co_await own.run<bool>(std::move(run));
  } catch (const pg::Failure& f) {
    const bool is_retryable = f.disposition() == pg::Disposition::kRetryable && attempt < steps::kDdlAttempts;
    if (!is_retryable && !stop_.is_requested()) {
      error = std::make_exception_ptr(
          Error(f.sqlstate() == pg::kInsufficientPrivilege ? ExitCode::kPrivileges : ExitCode::kFailed,
                "step \"" + step_name_ + "\" failed: " + f.what() + " (SQLSTATE " + f.sqlstate() + ")",
                "correct it and run again: an INVALID leftover is dropped first"));
    }
    if (f.is_somebodys_cancel(kNoTimeout))
      error = std::make_exception_ptr(cancelled_by_somebody(
          "step \"" + step_name_ + "\"", f, "an INVALID leftover is dropped, and the statement begins anew"));
    message = f.what();
  }
  if (error) std::rethrow_exception(error);
  if (message.empty() || stop_.is_requested()) co_return;
  ++tally_.retries;
  journal_.write(event::BatchFailed{0, 0, "", message, attempt, "retry", 1});
  co_await sleep_unless_stopped(std::chrono::seconds{1}, stop_);
}

}  // namespace pgsluice::engine
