#pragma once

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Whether this server can be worked on at all: its version, and that it is no standby.
void check_server(pg::Session& session, Findings& findings);

/// Whether this role may write, sees what the governor needs, and can keep a ledger.
void check_privileges(pg::Session& session, bool is_ledger_needed, Findings& findings);

/// What goes on on the server that the job would suffer from or add to: old transactions, slots, wraparound,
/// standbys.
void check_health(pg::Session& session, Findings& findings);

}  // namespace pgsluice::engine
