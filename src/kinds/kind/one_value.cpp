#include "kinds/kind/one_value.hpp"

#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::steps {

std::string verify_value(pg::Session& session, const std::string& step, const std::string& query) {
  // A count over the whole table may take long; it holds no lock that anybody waits for.
  session.exec(
      "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL "
      "row_security = off" +
      session.client_check());
  try {
    const auto rows = session.exec(query, pg::Params{});
    pg::commit(session);
    if (rows.size() != 1 || rows.row(0).size() != 1) {
      throw Error(ExitCode::kMismatch,
                  "verify step \"" + step + "\" answered with " + std::to_string(rows.size()) + " rows",
                  "its query must give one row of one column");
    }
    return rows.text(0, 0);
  } catch (const pg::Failure& f) {
    pg::rollback(session);
    if (f.is_connection_lost() || f.cancelled_by() == pg::CancelledBy::kUs) throw;
    const bool is_cancelled = f.is_somebodys_cancel(std::chrono::milliseconds{0});
    throw Error(ExitCode::kFailed,
                "verify step \"" + step + "\" " +
                    (is_cancelled ? "was cancelled on the server by somebody else: " : "failed: ") + f.what(),
                is_cancelled ? "find out who called pg_cancel_backend and why, then run again"
                             : "run its query in psql");
  }
}

}  // namespace pgsluice::steps
