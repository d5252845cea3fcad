#pragma once

#include <stdexcept>
#include <string>

#include "pg/sqlstate.hpp"

namespace pgsluice::pg {

/// What every libpqxx exception becomes at the edge of a statement. Carries the first cause: a failed
/// ROLLBACK never replaces it. Thrown inside a session's own thread; the lane turns it into a batch outcome.
class Failure : public std::runtime_error {
 public:
  Failure(std::string sqlstate, const std::string& message, bool is_connection_lost)
      : std::runtime_error(message),
        sqlstate_(std::move(sqlstate)),
        is_connection_lost_(is_connection_lost) {}

  /// Five characters; "08006" when the connection went away without a word from the server.
  const std::string& sqlstate() const noexcept { return sqlstate_; }
  bool is_connection_lost() const noexcept { return is_connection_lost_; }
  Disposition disposition() const {
    return is_connection_lost_ ? Disposition::kRetryable : classify(sqlstate_);
  }

 private:
  std::string sqlstate_;
  bool is_connection_lost_;
};

}  // namespace pgsluice::pg
