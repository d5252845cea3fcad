#include "telling/failure/interruption.hpp"

namespace pgsluice::engine {

Error cancelled_by_somebody(const std::string& subject, const pg::Failure& failure,
                            const std::string& standing) {
  return {ExitCode::kFailed,
          subject + " was cancelled on the server by somebody else: " + failure.what() + " (SQLSTATE " +
              failure.sqlstate() + ")",
          "find out who called pg_cancel_backend and why, then run again: " + standing};
}

CutShort cut_short(const Stop& stop) {
  return {ExitCode::kWorkLeft, "stopped before it was finished: " + stop.reason(),
          "run again: the job continues where it stopped"};
}

bool is_cut_short(const std::exception_ptr& error, const Stop& stop) {
  if (!error || !stop.is_requested()) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.code() == ExitCode::kWorkLeft;
  } catch (const pg::Failure& f) {
    return f.cancelled_by() == pg::CancelledBy::kUs;
  } catch (...) {
    return false;
  }
}

}  // namespace pgsluice::engine
