#pragma once

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Whether this server can be used at all: its version, and that it is not a standby.
void check_server(pg::Session& session, Findings& findings);

/// Whether this role may write, can see what the governor needs, and can keep a ledger.
void check_privileges(pg::Session& session, bool is_ledger_needed, Findings& findings);

/// Conditions on the server that would harm the job or that it would make worse: old transactions, slots,
/// wraparound, standbys.
void check_health(pg::Session& session, Findings& findings);

}  // namespace pgsluice::engine
