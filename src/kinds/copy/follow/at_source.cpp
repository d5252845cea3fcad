#include "kinds/copy/follow/at_source.hpp"

#include <random>
#include <set>

#include "base/backoff.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/source_batch.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/copy/copy_sql.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr pg::TransactionLimits kDdl{steps::kDdlLockTimeout, std::chrono::milliseconds{10'000}, true};

std::string set_lock_timeout(std::chrono::milliseconds timeout) {
  return "SET LOCAL lock_timeout = " + std::to_string(timeout.count());
}

/// An attempt's failure, for the log.
struct Missed {
  std::string message;
  int attempt = 1;
  std::chrono::milliseconds wait{0};
};

void tell(RunningStep& step, const Missed& missed) {
  ++step.tally.retries;
  step.journal.write(event::BatchFailed{0, 0, std::string(pg::kLockNotAvailable), missed.message,
                                        missed.attempt, "retry",
                                        std::chrono::duration<double>(missed.wait).count()});
}

}  // namespace

std::shared_ptr<pg::Connection> open_source(RunningStep& step, const CopyStep& copy,
                                            const std::string& purpose) {
  const auto target = source_of(copy);
  if (!target) return step.own.open("source " + purpose);
  return std::make_shared<pg::Connection>(*target,
                                          "pgsluice " + step.run_id.substr(0, 8) + " source " + purpose);
}

void send_ddl(pg::Session& source, const std::vector<SourceDdl>& statements) {
  std::set<std::string> locked;
  for (const auto& statement : statements) {
    if (!statement.lock.empty() && locked.insert(statement.table_sql).second) {
      source.exec(set_lock_timeout(steps::kGentleLockTimeout));
      source.exec("LOCK TABLE " + statement.table_sql + " IN SHARE UPDATE EXCLUSIVE MODE");
      source.exec(set_lock_timeout(steps::kDdlLockTimeout));
    }
    source.exec(statement.sql);
  }
}

void send_ddl_alone(pg::Session& source, const std::vector<SourceDdl>& statements) {
  try {
    pg::in_transaction(source, kDdl, [&] {
      send_ddl(source, statements);
      return true;
    });
  } catch (const pg::Failure& f) {
    throw SourceFailure(f, std::nullopt);
  }
}

std::string source_holders(pg::Session& source, const std::vector<SourceDdl>& statements) try {
  std::set<std::string> tables;
  for (const auto& statement : statements) {
    if (!statement.lock.empty()) tables.insert(statement.table_sql);
  }
  std::string all;
  for (const auto& table : tables) {
    for (const auto& holder : pg::lock_holders(source, table)) all += "; " + table + " is held by " + holder;
  }
  return all;
} catch (const pg::Failure&) {
  return {};  // only a courtesy
}

asio::awaitable<void> insist_at_source(RunningStep& step, pg::Connection& source, SourceWork work) {
  for (const auto& statement : work.statements)
    step.journal.write(event::Statement{step.record.name, statement.sql, statement.lock});
  co_await step.states.store_log();
  const base::Backoff backoff{steps::kDdlBackoffBase, steps::kDdlBackoffMax, steps::kDdlAttempts,
                              std::random_device{}()};
  // What went wrong; empty: nothing.
  std::function<std::string(pg::Session&)> attempt = [work](pg::Session& s) {
    s.give_up_after(kSourceSilence);
    try {
      work.attempt(s);
      return std::string();
    } catch (const pg::Failure& f) {
      if (f.sqlstate() != pg::kLockNotAvailable) throw;
      return f.what() + source_holders(s, work.statements);
    }
  };
  for (int number = 1; !step.stop.is_requested(); ++number) {
    const auto failed = co_await keep_trying<std::string>(source, attempt, step.journal, step.stop);
    if (failed.empty()) co_return;
    const auto wait = backoff.next(number);
    if (!wait)
      throw Error(ExitCode::kFailed,
                  "step \"" + step.record.name + "\" did not get its lock at the source in " +
                      std::to_string(number) + " attempts: " + failed,
                  "end the sessions that block it (the event log names them), then run again");
    tell(step, {failed, number, *wait});
    co_await sleep_unless_stopped(*wait, step.stop);
  }
}

}  // namespace pgsluice::engine
