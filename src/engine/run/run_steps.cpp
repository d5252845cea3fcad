// The steps of a Run: each member function is the story of one kind.

#include "engine/run/run.hpp"

#include <random>

#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "job/sql/index_body.hpp"
#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/index/index.hpp"
#include "kinds/retype/cutover/standing.hpp"
#include "kinds/verify/verify.hpp"
#include "ledger/overview.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pg/identifier.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{200};  // how often held ranges and builds of others are looked at
// Another run's last batches are over in a moment; leaving at once would end both runs of every pair with
// work undone. Longer than a heartbeat is fresh: who died as we began does not count as alive.
constexpr std::chrono::seconds kSettle{ledger::kFreshSeconds + 2};

constexpr std::chrono::milliseconds kNoTimeout{0};  // what a statement that may take long is given

double seconds_since(SteadyClock::time_point then) {
  return std::chrono::duration<double>(SteadyClock::now() - then).count();
}

std::string message_of(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

asio::awaitable<void> Run::run_steps() {
  for (std::size_t i = 0; i < job_.steps.size() && !stop_.is_requested(); ++i) {
    step_number_ = static_cast<int>(i) + 1;
    co_await gate_.pass_pause(stop_);
    if (stop_.is_requested()) co_return;
    const Work work = std::visit([](const auto& step) { return Work(step); }, job_.steps[i]);
    co_await run_work(work, record_.steps[i]);
  }
}

asio::awaitable<void> Run::perform(const Work& work, const ledger::StepRecord& record) {
  const auto id = record.step_id;
  if (const auto* sql = std::get_if<SqlStep>(&work)) co_await run_sql(*sql, id);
  if (const auto* index = std::get_if<IndexStep>(&work)) co_await run_index(*index, record);
  if (const auto* verify = std::get_if<VerifyStep>(&work)) co_await run_verify(*verify, id);
  if (const auto* retype = std::get_if<RetypeStep>(&work)) co_await run_retype(*retype, record);
  if (const auto* vacuum = std::get_if<Vacuum>(&work)) co_await run_vacuum(*vacuum, id);
  if (std::holds_alternative<Fence>(work)) co_await run_fence(id);
}

asio::awaitable<StepInWork> Run::begin_step(ledger::StepRecord record) {
  const auto began = SteadyClock::now();
  std::function<RowCounts(pg::Session&)> begin = [id = record.step_id](pg::Session& s) {
    ledger::set_step_state(s, id, "running");
    return ledger::step_counts(s, id);
  };
  const auto already_done = co_await keep_trying<RowCounts>(steps_, begin, journal_, stop_);
  co_return StepInWork{std::move(record), already_done, began};
}

asio::awaitable<std::exception_ptr> Run::end_step(pg::Connection& connection, StepInWork step,
                                                  std::string outcome, std::exception_ptr error) {
  if (outcome == "failed" && !failure_) failure_ = error;
  if (outcome == "done" || outcome == "failed") {
    std::function<bool(pg::Session&)> end = [=, id = step.record.step_id,
                                             message = message_of(error)](pg::Session& s) {
      ledger::set_step_state(s, id, outcome, message);
      return true;
    };
    try {
      co_await keep_trying<bool>(connection, end, journal_, stop_);
    } catch (...) {
      if (!error) error = std::current_exception();  // the first cause stands
    }
  }
  const auto& record = step.record;
  if (outcome == "done") cut_.clear();  // the cancel came too late
  journal_.write(event::StepEnded{record.name, record.kind, outcome, step.rows, seconds_since(step.began)});
  co_await keeper_->flush_journal();
  base::failpoint("after_step");
  co_return error;
}

std::string Run::outcome(const std::exception_ptr& error) const {
  if (is_cut_short(error, stop_)) return "interrupted";
  if (error) return "failed";
  if (!stop_.is_requested()) return "done";
  return stop_.cause() == StopCause::kReadyForCutover ? "ready for cut-over" : "interrupted";
}

asio::awaitable<void> Run::run_work(Work work, ledger::StepRecord record) {
  if (record.state == "done") co_return;
  if (const auto* backfill = std::get_if<BackfillStep>(&work)) {
    std::vector<Filling> alone{{*backfill, record}};
    co_await run_fills(std::move(alone));
    co_return;
  }
  step_name_ = record.name;
  step_kind_ = record.kind;
  last_fills_ = {};
  const auto step = co_await begin_step(record);
  std::exception_ptr error;
  try {
    co_await perform(work, record);
  } catch (...) {
    error = std::current_exception();
  }
  auto how = outcome(error);
  error = co_await end_step(steps_, step, std::move(how), error);
  if (error) std::rethrow_exception(error);
}

asio::awaitable<ledger::Remaining> Run::remaining(std::vector<std::int64_t> step_ids) {
  std::function<ledger::Remaining(pg::Session&)> look = [=, run_id = run_id_](pg::Session& s) {
    ledger::Remaining all;
    for (const auto step_id : step_ids) {
      const auto left = ledger::remaining(s, step_id, run_id);
      all.ranges += left.ranges;
      all.held_by_others += left.held_by_others;
      all.held_by_living += left.held_by_living;
    }
    return all;
  };
  co_return co_await keep_trying<ledger::Remaining>(steps_, look, journal_, stop_);
}

asio::awaitable<bool> Run::wait_for_others(std::vector<std::int64_t> step_ids,
                                           SteadyClock::time_point since) {
  const auto patience = std::max<std::chrono::seconds>(options_.wait, kSettle);
  while (!stop_.is_requested()) {
    const auto left = co_await remaining(step_ids);
    ranges_left_ = static_cast<int>(left.ranges);
    if (left.ranges == 0) co_return true;
    if (left.held_by_others < left.ranges) co_return false;
    // A run that died without a word looks alive until its lease ends: then its ranges are ours.
    if (left.held_by_living == left.ranges && SteadyClock::now() - since > patience) {
      throw Error(ExitCode::kRangesHeld,
                  "other live runs hold every range that is left of step \"" + step_name_ + "\"",
                  "wait for them (pgsluice status " + job_.name + "), or run again with --wait");
    }
    co_await sleep_unless_stopped(kLook, stop_);
  }
  co_return false;
}

asio::awaitable<std::optional<ledger::Range>> Run::lease_single(pg::Connection& connection,
                                                                std::int64_t step_id) {
  std::function<std::optional<ledger::Range>(pg::Session&)> lease = [=, run_id = run_id_](pg::Session& s) {
    ledger::cut(s, step_id, 0, {ledger::NewRange{}});
    return ledger::lease_next(s, step_id, run_id, {});
  };
  const auto since = SteadyClock::now();
  while (!stop_.is_requested()) {
    auto range = co_await keep_trying<std::optional<ledger::Range>>(connection, lease, journal_, stop_);
    if (range) co_return range;
    std::vector<std::int64_t> alone{step_id};
    if (co_await wait_for_others(std::move(alone), since)) co_return std::nullopt;
    co_await sleep_unless_stopped(std::chrono::milliseconds{50}, stop_);  // an orphan backend still locks it
  }
  co_return std::nullopt;
}

asio::awaitable<void> Run::run_sql(const SqlStep& step, std::int64_t step_id) {
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  const auto statements = ddl_statements(step.up);
  const base::Backoff backoff{steps::kDdlBackoffBase, steps::kDdlBackoffMax, steps::kDdlAttempts,
                              std::random_device{}()};
  for (const auto& s : statements) journal_.write(event::Statement{step_name_, s.sql, s.lock});
  co_await keeper_->flush_journal();  // what changes the schema is in the log even if we do not live to tell

  for (int attempt = 1; !stop_.is_requested(); ++attempt) {
    const auto range = co_await lease_single(steps_, step_id);
    if (!range) co_return;
    std::function<bool(pg::Session&)> run = [=, token = range->token](pg::Session& s) {
      return steps::attempt_ddl(s, statements, [&](pg::Session& in) { return ledger::mark_done(in, token); });
    };
    std::optional<pg::Failure> failure;
    try {
      if (co_await steps_.run<bool>(std::move(run))) co_return;
      continue;  // fenced: lease again, or find it done
    } catch (const pg::Failure& f) {
      failure = f;
    }
    const bool is_ours = failure->cancelled_by() == pg::CancelledBy::kUs;
    if (is_ours && stop_.is_requested()) throw cut_short(stop_);
    if (failure->is_somebodys_cancel(kNoTimeout))
      throw cancelled_by_somebody("step \"" + step_name_ + "\"", *failure,
                                  "nothing of this step was changed, it begins anew");
    const bool is_timeout =
        failure->cancelled_by() == pg::CancelledBy::kTimeout;  // of the step's own setting
    if (is_timeout || failure->disposition() != pg::Disposition::kRetryable)
      co_await fail_statement(*failure);
    const std::string blocked = failure->what();
    const auto wait = backoff.next(attempt);
    if (!wait) {
      throw Error(ExitCode::kFailed,
                  "step \"" + step_name_ + "\" did not get its lock in " + std::to_string(attempt) +
                      " attempts: " + blocked,
                  "end the sessions in its way (the event log names them), then run again");
    }
    ++tally_.retries;
    co_await name_blockers(statements, blocked, attempt, *wait);
    co_await sleep_unless_stopped(*wait, stop_);
  }
}

asio::awaitable<void> Run::fail_statement(pg::Failure failure) {
  const auto& state = failure.sqlstate();
  std::string hint = "correct the statement; nothing of this step was changed";
  if (state == "42701" || state == "42P07" || state == "42710")
    hint = "it was applied before: write IF NOT EXISTS, or say pgsluice resolve " + job_.name + " " +
           step_name_ + " --applied";
  // An act is one of many: what those before it made stays.
  if (const auto* retype = std::get_if<RetypeStep>(&job_.steps[static_cast<std::size_t>(step_number_ - 1)])) {
    std::function<std::string(pg::Session&)> look = [job = job_.name, step = retype->name](pg::Session& s) {
      return standing_in_words(s, job, step);
    };
    hint = "correct the cause and run again: nothing of this step was changed yet";
    const auto standing = co_await keep_trying<std::string>(steps_, look, journal_, stop_);
    if (!standing.empty())
      hint = standing + ": correct the cause and run again, or take them away with pgsluice rollback";
  }
  throw Error(state == "42501" ? ExitCode::kPrivileges : ExitCode::kFailed,
              "step \"" + step_name_ + "\" failed: " + failure.what() + " (SQLSTATE " + state + ")", hint);
}

asio::awaitable<void> Run::name_blockers(std::vector<steps::DdlStatement> statements, std::string failure,
                                         int attempt, std::chrono::milliseconds wait) {
  std::function<std::vector<std::string>(pg::Session&)> look = [=](pg::Session& s) {
    std::vector<std::string> all;
    for (const auto& statement : statements) {
      for (auto& holder : pg::lock_holders(s, statement.table_sql))
        all.push_back(statement.table_sql + ": " + std::move(holder));
    }
    return all;
  };
  std::string holders;
  try {
    const auto found = co_await steps_.run<std::vector<std::string>>(std::move(look));
    for (const auto& holder : found) holders += "; held by " + holder;
  } catch (const pg::Failure&) {
    // Who blocks is a courtesy; the attempt's own error is what counts.
  }
  journal_.write(event::BatchFailed{0, 0, "55P03", failure + holders, attempt, "retry",
                                    std::chrono::duration<double>(wait).count()});
}

asio::awaitable<void> Run::run_index(const IndexStep& step, ledger::StepRecord record) {
  const auto step_id = record.step_id;
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  const auto analysed = job::analyse_statement(step.sql);
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (!facts || !facts->table)
    throw Error(ExitCode::kJobFile, "step \"" + step_name_ + "\" names no table", "check `sql`");
  const auto table_sql = pg::Identifier(facts->table->schema, facts->table->name).sql();
  pg::Connection own(job_.direct_dsn.empty() ? target_ : pg::ConnectionTarget(job_.direct_dsn),
                     application_prefix_ + " index");
  const Lent lent(own_, own);

  const auto range = co_await lease_single(own, step_id);
  if (!range) co_return;
  struct Seen {
    std::string index_sql;
    steps::IndexState state = steps::IndexState::kMissing;
  };
  const steps::IndexWanted wanted{facts->table->name, facts->unique, job::index_body(step.sql)};
  std::function<Seen(pg::Session&)> look = [=, name = facts->index_name](pg::Session& s) {
    Seen found;
    found.index_sql = steps::index_in_schema_of(s, table_sql, name);
    found.state = steps::index_state(s, found.index_sql, table_sql);
    return found;
  };
  // Noted before the build: who dies in it could not say any more that the index is ours to drop at rollback.
  std::function<bool(pg::Session&)> note = [=](pg::Session& s) {
    ledger::set_step_detail(s, step_id, "building");
    return true;
  };
  bool is_ours = record.detail == "building" || record.detail == "created";
  bool is_built = false;
  for (int attempt = 1; !stop_.is_requested(); ++attempt) {
    const auto found = co_await keep_trying<Seen>(own, look, journal_, stop_);
    if (found.state == steps::IndexState::kForeign) {
      throw Error(ExitCode::kRefused,
                  "the name " + found.index_sql + " belongs to something else than an index of " + table_sql,
                  "give the index another name");
    }
    if (found.state == steps::IndexState::kValid && is_built) break;
    if (found.state == steps::IndexState::kValid) {
      std::function<std::string(pg::Session&)> compare = [=, index_sql = found.index_sql](pg::Session& s) {
        return steps::other_definition(s, index_sql, table_sql, wanted);
      };
      const auto other = co_await keep_trying<std::string>(own, compare, journal_, stop_);
      if (other.empty()) break;
      throw Error(
          ExitCode::kRefused,
          "index " + found.index_sql + " of " + table_sql + " is another one than the step says: " + other,
          "drop it, or give the step's index another name");
    }
    if (found.state == steps::IndexState::kBuilding) {
      co_await sleep_unless_stopped(kLook, stop_);  // an orphan backend of an earlier run is at it
      continue;
    }
    const bool is_leftover = found.state == steps::IndexState::kInvalid;
    if (is_leftover)
      journal_.warn("index " + found.index_sql + " is INVALID, a leftover: it is dropped and built again");
    const auto sql = is_leftover ? steps::drop_index_sql(found.index_sql) : step.sql;
    const std::string lock = is_leftover ? "SHARE UPDATE EXCLUSIVE" : facts->lock;
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
          Error(f.sqlstate() == "42501" ? ExitCode::kPrivileges : ExitCode::kFailed,
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

asio::awaitable<void> Run::run_verify(const VerifyStep& step, std::int64_t step_id) {
  journal_.write(event::StepStarted{step_name_, step_kind_, false, 0});
  const auto range = co_await lease_single(steps_, step_id);
  if (!range) co_return;
  std::function<std::string(pg::Session&)> ask = [=](pg::Session& s) {
    return steps::verify_value(s, step.name, step.query);
  };
  const auto actual = co_await keep_trying<std::string>(steps_, ask, journal_, stop_);
  const bool matches = actual == step.expect;
  journal_.write(event::Verify{step_name_, step.expect, actual, matches});
  std::function<bool(pg::Session&)> mark = [=, token = range->token](pg::Session& s) {
    if (matches) return ledger::mark_done(s, token);
    ledger::release(s, token);
    return true;
  };
  co_await keep_trying<bool>(steps_, mark, journal_, stop_);
  if (!matches) {
    throw Error(ExitCode::kMismatch,
                "verify step \"" + step_name_ + "\" expects " + step.expect + " and found " + actual,
                "look at the rows that its query finds; run again to verify once more");
  }
}

}  // namespace pgsluice::engine
