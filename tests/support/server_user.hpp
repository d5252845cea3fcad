#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pgsluice::test {

struct ServerUser {
  uid_t uid;
  gid_t gid;
};

/// Who runs servers: `postgres` when this process is root, nothing (the caller) otherwise. Throws when this
/// process is root and there is no such user.
std::optional<ServerUser> server_user();

/// Path of a PostgreSQL program (initdb, postgres, pgbench …): $PGSLUICE_PG_BIN, the newest of
/// /usr/lib/postgresql/*/bin, or PATH, in this order.
std::string postgres_program(const std::string& name);

}  // namespace pgsluice::test
