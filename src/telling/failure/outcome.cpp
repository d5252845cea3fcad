#include "telling/failure/outcome.hpp"

#include "pg/sqlstate.hpp"

namespace pgsluice::engine {
namespace {

const char* unreachable_hint(Asker asker) {
  return asker == Asker::kRun
             ? "check the connection, then run again: the job continues where it stopped"
             : "check --dsn, DATABASE_URL or the PG* variables, and that the server is running";
}

}  // namespace

ExitCode exit_code_of(const std::string& sqlstate) {
  return sqlstate == pg::kInsufficientPrivilege ? ExitCode::kPrivileges : ExitCode::kFailed;
}

Error error_of(const pg::Failure& failure, Asker asker) {
  const auto& state = failure.sqlstate();
  if (state == pg::kInsufficientPrivilege)
    return {ExitCode::kPrivileges, failure.what(),
            "GRANT the missing privilege to the role that runs the job"};
  if (state == pg::kReadOnlyTransaction)
    return {ExitCode::kRefused, failure.what(),
            "pgsluice has to write: check where default_transaction_read_only is on (ALTER ROLE or ALTER "
            "DATABASE … RESET it), or whether the server has become a standby"};
  // A scheduler that keeps retrying would only get the account locked.
  if (state == pg::kInvalidAuthorization)
    return {ExitCode::kPrivileges, failure.what(),
            "check user and password (~/.pgpass, PGPASSWORD), the role's right to log in, and pg_hba.conf"};
  if (failure.is_connection_lost() || state == pg::kNoSuchDatabase)
    return {ExitCode::kUnreachable, failure.what(), unreachable_hint(asker)};
  return {ExitCode::kFailed, std::string(failure.what()) + " (SQLSTATE " + state + ")"};
}

std::string message_of(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace pgsluice::engine
