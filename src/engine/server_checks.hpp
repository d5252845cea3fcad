#pragma once

#include "engine/findings.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Whether this server can be worked on at all: its version, and that it is no standby.
void check_server(pg::Session& session, Findings& findings);

/// What to do about SQLSTATE 25006, for whoever meets it where preflight did not look.
inline constexpr const char* kReadOnlyHint =
    "pgsluice has to write: see where default_transaction_read_only is on (ALTER ROLE or ALTER DATABASE … "
    "RESET "
    "it), or whether the server has become a standby";

/// What to do about SQLSTATE 28000. A scheduler that tries again would only lock the account.
inline constexpr const char* kLoginHint =
    "check user and password (~/.pgpass, PGPASSWORD), the role's right to log in, and pg_hba.conf";

/// Whether this role may write, sees what the governor needs, and can keep a ledger.
void check_privileges(pg::Session& session, bool is_ledger_needed, Findings& findings);

/// What goes on on the server that the job would suffer from or add to: old transactions, slots, wraparound,
/// standbys.
void check_health(pg::Session& session, Findings& findings);

}  // namespace pgsluice::engine
