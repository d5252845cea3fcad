#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// The server ends a transaction that idles longer: a stopped process must not keep row locks.
constexpr std::chrono::milliseconds kIdleInTransaction{2'000};

/// Settings of one transaction. All are SET LOCAL, so that a pooler's next client sees none of them.
struct TransactionLimits {
  std::chrono::milliseconds lock_timeout{1'000};       // 0: none
  std::chrono::milliseconds statement_timeout{5'000};  // 0: none
  bool is_synchronous = true;                          // false: synchronous_commit = off
  /// Every statement sees the same rows (REPEATABLE READ). Otherwise each sees what was committed before it
  /// (READ COMMITTED), whatever the server's default is.
  bool is_one_snapshot = false;
};

/// BEGIN and every SET LOCAL in one round trip. DateStyle, TimeZone and digits make key texts exact; with
/// row_security = off, rows that a policy would hide cause an error instead.
std::string begin_sql(const TransactionLimits& limits);

/// Begins a transaction that may take long: the server checks from time to time whether we are still
/// connected.
void begin(Session& session, const TransactionLimits& limits);

/// The connection was lost during COMMIT: whether it committed is in doubt.
class InDoubt : public Failure {
 public:
  using Failure::Failure;
};

/// Sends `sql`, which ends in COMMIT. Throws InDoubt if the connection is lost while sending it, Failure if
/// it rolled back.
void commit(Session& session, const std::string& sql = "COMMIT");

/// Runs `work` between BEGIN and COMMIT; rolls back and rethrows the first cause if it throws.
template <class Work>
auto in_transaction(Session& session, const TransactionLimits& limits, Work work) {
  begin(session, limits);
  try {
    auto result = work();
    commit(session);
    return result;
  } catch (...) {
    rollback(session);
    throw;
  }
}

}  // namespace pgsluice::pg
