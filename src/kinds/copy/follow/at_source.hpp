#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kinds/step_run/running_step.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/job.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {

/// A connection to the source of the copy, in the target's own database if it names no other; `purpose` is
/// what the source shows it as.
std::shared_ptr<pg::Connection> open_source(RunningStep& step, const CopyStep& copy,
                                            const std::string& purpose);

/// Sends DDL in the caller's transaction: locks each table gently before its first statement, and never
/// queues for longer than other DDL of the project. Blocks. Throws Failure 55P03 if it does not get its lock.
void send_ddl(pg::Session& source, const std::vector<SourceDdl>& statements);

/// The same in a transaction of its own. Throws Failure.
void send_ddl_alone(pg::Session& source, const std::vector<SourceDdl>& statements);

/// Who holds locks at the source on the tables of these statements: "; … is held by …"; empty: nobody, or
/// that cannot be said.
std::string source_holders(pg::Session& source, const std::vector<SourceDdl>& statements);

/// What is sent to the source, and what each is for.
struct SourceWork {
  std::vector<SourceDdl> statements;  // for the log
  /// One attempt, on the connection's thread. True: done, or done before.
  std::function<bool(pg::Session&)> attempt;
};

/// Attempts it until it gets its locks, with the backoff of other DDL; every failure and who is in the way
/// are in the event log. Throws Error, also if it does not get them. Returns early when a stop is requested.
boost::asio::awaitable<void> insist_at_source(RunningStep& step, pg::Connection& source, SourceWork work);

}  // namespace pgsluice::engine
