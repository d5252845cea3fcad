#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// What the current role may do. Catalog reads only; all throw Failure.

bool may_create_schema(Session& session);

/// The GRANT that is missing for working with the tables of `schema`; empty: none. A table that does not
/// exist does not count.
std::string missing_schema_grant(Session& session, const std::string& schema);

/// The GRANT that is missing for creating tables in `schema`; empty: none, or there is no such schema.
std::string missing_create_grant(Session& session, const std::string& schema);

/// Whether the schema exists, and if so, whether we own it.
enum class SchemaState { kMissing, kOwned, kForeign };
SchemaState schema_state(Session& session, const std::string& schema);

/// If transactions of this session are read-only by default (default_transaction_read_only), the remedy at
/// the place where it is set: "ALTER ROLE … RESET …"; empty: they may write.
std::string read_only_remedy(Session& session);

/// ALTER TABLE and CREATE INDEX are allowed for the owner, members of the owning role, and superusers.
bool owns_table(Session& session, std::uint32_t table_oid);

}  // namespace pgsluice::pg
