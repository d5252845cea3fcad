#pragma once

#include <cstdint>
#include <string>

#include "pg/session.hpp"

namespace pgsluice::pg {

/// What the current role may do. Catalog reads only; all throw Failure.

bool may_create_schema(Session& session);

/// What is missing to work with the tables of `schema`, as the GRANT that gives it; empty: nothing. A table
/// that is not there is not missed.
std::string missing_schema_grant(Session& session, const std::string& schema);

/// Whether the schema exists, and then whether we own it.
enum class SchemaState { kMissing, kOwned, kForeign };
SchemaState schema_state(Session& session, const std::string& schema);

/// Whether transactions of this session may only read unless they say otherwise
/// (default_transaction_read_only), then what takes that back where it is set: "ALTER ROLE … RESET …"; empty:
/// they may write.
std::string read_only_remedy(Session& session);

/// ALTER TABLE and CREATE INDEX are for the owner, members of the owning role, and superusers.
bool owns_table(Session& session, std::uint32_t table_oid);

}  // namespace pgsluice::pg
