// The steps of a Run: each member function is the story of one kind.

#include "engine/run/run.hpp"

#include <random>

#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "job/sql/index_body.hpp"
#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/index.hpp"
#include "kinds/kind/one_value.hpp"
#include "kinds/table_of_kinds.hpp"
#include "ledger/overview.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pg/identifier.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"

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
  auto running = std::visit([&](const auto& each) { return run_kind(each, record); }, work);
  co_await std::move(running);
}

asio::awaitable<void> Run::run_kind(BackfillStep step, ledger::StepRecord record) {
  std::vector<Filling> alone{{std::move(step), std::move(record)}};
  co_await run_fills(std::move(alone));
}

asio::awaitable<void> Run::run_kind(SqlStep step, ledger::StepRecord record) {
  const Story story = [this, &step, id = record.step_id] { return run_sql(step, id); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_kind(IndexStep step, ledger::StepRecord record) {
  const Story story = [this, &step, &record] { return run_index(step, record); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_kind(VerifyStep step, ledger::StepRecord record) {
  const Story story = [this, &step, id = record.step_id] { return run_verify(step, id); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_kind(RetypeStep step, ledger::StepRecord record) {
  const Story story = [this, &step, &record] { return run_retype(step, record); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_kind(Vacuum work, ledger::StepRecord record) {
  const Story story = [this, &work, id = record.step_id] { return run_vacuum(work, id); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_kind(Fence /*work*/, ledger::StepRecord record) {
  const Story story = [this, id = record.step_id] { return run_fence(id); };
  co_await run_told(record, story);
}

asio::awaitable<void> Run::run_told(const ledger::StepRecord& record, const Story& story) {
  step_name_ = record.name;
  step_kind_ = record.kind;
  last_fills_ = {};
  const auto step = co_await begin_step(record);
  std::exception_ptr error;
  try {
    co_await story();
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
  if (pg::exists_already(state))
    hint = "it was applied before: write IF NOT EXISTS, or say pgsluice resolve " + job_.name + " " +
           step_name_ + " --applied";
  // An act is one of many: what those before it made stays.
  std::function<std::optional<std::string>(pg::Session&)> look = [this](pg::Session& s) {
    return kind_of(job_.steps[static_cast<std::size_t>(step_number_ - 1)])->standing(s, job_);
  };
  const auto standing = co_await keep_trying<std::optional<std::string>>(steps_, look, journal_, stop_);
  if (standing) {
    hint = standing->empty()
               ? "correct the cause and run again: nothing of this step was changed yet"
               : *standing + ": correct the cause and run again, or take them away with pgsluice rollback";
  }
  throw Error(state == pg::kInsufficientPrivilege ? ExitCode::kPrivileges : ExitCode::kFailed,
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
  journal_.write(event::BatchFailed{0, 0, std::string(pg::kLockNotAvailable), failure + holders, attempt,
                                    "retry", std::chrono::duration<double>(wait).count()});
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
