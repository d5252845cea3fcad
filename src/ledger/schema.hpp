#pragma once

#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// The ledger's format; docs/ledger.md describes every field. Raised with every change of a table.
constexpr int kSchemaVersion = 9;

/// Creates schema pgsluice if it is missing; safe when two runs start at once. Throws Error(kPrivileges) with
/// the missing GRANT, and Error(kRefused) for a ledger written by a newer version.
void install(pg::Session& session);

/// The version of the installed ledger. REQUIRES: is_installed().
int installed_version(pg::Session& session);

/// True if this database holds a ledger.
bool is_installed(pg::Session& session);

}  // namespace pgsluice::ledger
