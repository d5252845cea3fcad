#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/rows.hpp"

struct pg_conn;  // libpq's PGconn

namespace pgsluice::pg::wire {

/// What libpqxx has no public call for: COPY in both directions, and statements that give up on a silent
/// server. All of it blocks, on a connection between two statements, and leaves it so. Throws WireError.

/// How long to wait for a server that says nothing.
struct Patience {
  std::chrono::milliseconds silence{0};  // without a byte from the server; 0: for ever
  const std::atomic<bool>* is_aborted = nullptr;
};

/// A statement that failed, as the server or libpq put it.
class WireError : public std::runtime_error {
 public:
  WireError(std::string sqlstate, const std::string& message, bool is_lost)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)), is_lost_(is_lost) {}
  /// Empty if the server said none.
  const std::string& sqlstate() const noexcept { return sqlstate_; }
  bool is_lost() const noexcept { return is_lost_; }

 private:
  std::string sqlstate_;
  bool is_lost_;
};

/// One or several statements without parameters, or one with them; the answer is the last one's.
Rows exec(pg_conn* connection, const std::string& sql, const Params* params, const Patience& patience);

/// Takes one line with its newline; false: enough.
using TakeLine = std::function<bool(std::string_view line)>;

/// COPY … TO STDOUT. False if `take` ended it: then a cancel was sent, and the connection must not be used
/// again. A copy whose lines are not as many as the server counted is an error.
bool copy_out(pg_conn* connection, const std::string& sql, const TakeLine& take, const Patience& patience);

/// COPY … FROM STDIN. The rows that the server took: without those that a trigger left out.
std::int64_t copy_in(pg_conn* connection, const std::string& sql, std::string_view lines);

}  // namespace pgsluice::pg::wire
