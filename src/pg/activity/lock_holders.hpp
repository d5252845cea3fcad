#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// Who holds locks on the table, in words, oldest transaction first: `pid 4711 (alice, psql, idle in
/// transaction for 12 s)`.
std::vector<std::string> lock_holders(Session& session, const std::string& table_sql);

/// Ends every session of an application that holds a lock on one of `tables` in a transaction older than
/// `age`. Returns in words which ones; empty: none. Must not be used behind a pooler: the server process may
/// serve another client by now.
std::string end_blockers(Session& session, const std::vector<std::string>& tables,
                         std::chrono::milliseconds age);

}  // namespace pgsluice::pg
