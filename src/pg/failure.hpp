#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/sqlstate.hpp"

namespace pgsluice::pg {

/// Who ended a statement with 57014, the SQLSTATE that the server uses for all of these.
enum class CancelledBy {
  kNobody,    // it failed for another reason
  kUs,        // we cancelled this session
  kTimeout,   // statement_timeout
  kSomebody,  // pg_cancel_backend, or a cancel from elsewhere
  kUntold,    // a timeout or somebody: the server's message is in another language
};

/// REQUIRES: no cancel of ours was sent. `message` is the server's.
CancelledBy read_cancel(std::string_view sqlstate, std::string_view message);

/// What every libpqxx exception becomes at the edge of a statement. Carries the first cause: a failed
/// ROLLBACK never replaces it. Thrown inside a session's own thread; the lane turns it into a batch outcome.
class Failure : public std::runtime_error {
 public:
  Failure(std::string sqlstate, const std::string& message, bool is_connection_lost)
      : Failure(sqlstate, message, is_connection_lost, read_cancel(sqlstate, message), {}) {}
  /// `ran_for`: how long the statement had been in flight.
  Failure(std::string sqlstate, const std::string& message, bool is_connection_lost, CancelledBy cancelled_by,
          std::chrono::nanoseconds ran_for)
      : std::runtime_error(message),
        sqlstate_(std::move(sqlstate)),
        is_connection_lost_(is_connection_lost),
        cancelled_by_(cancelled_by),
        ran_for_(ran_for) {}

  /// Five characters; "08006" if the connection was lost without a message from the server.
  const std::string& sqlstate() const noexcept { return sqlstate_; }
  bool is_connection_lost() const noexcept { return is_connection_lost_; }
  Disposition disposition() const {
    return is_connection_lost_ ? Disposition::kRetryable : classify(sqlstate_);
  }
  CancelledBy cancelled_by() const noexcept { return cancelled_by_; }
  /// Neither we nor `statement_timeout` (0: none) ended the statement.
  bool is_somebodys_cancel(std::chrono::milliseconds statement_timeout) const noexcept {
    return cancelled_by_ == CancelledBy::kSomebody ||
           (cancelled_by_ == CancelledBy::kUntold &&
            (statement_timeout.count() == 0 || ran_for_ < statement_timeout));
  }

 private:
  std::string sqlstate_;
  bool is_connection_lost_;
  CancelledBy cancelled_by_;
  std::chrono::nanoseconds ran_for_;
};

}  // namespace pgsluice::pg
