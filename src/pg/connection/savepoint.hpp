#pragma once

#include <optional>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// Runs `work` within the caller's transaction so that a failure leaves the transaction as it was. Returns
/// the failure; nullopt: there was none. Throws Failure if the connection is lost.
template <class Work>
std::optional<Failure> attempt(Session& session, Work work) {
  session.exec("SAVEPOINT pgsluice_attempt");
  try {
    work();
    session.exec("RELEASE SAVEPOINT pgsluice_attempt");
    return std::nullopt;
  } catch (const Failure& f) {
    if (f.is_connection_lost()) throw;
    session.exec("ROLLBACK TO SAVEPOINT pgsluice_attempt; RELEASE SAVEPOINT pgsluice_attempt");
    return f;
  }
}

}  // namespace pgsluice::pg
