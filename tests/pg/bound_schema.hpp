#pragma once

#include <string>
#include <vector>

#include "support/db.hpp"

namespace pgsluice::test {

/// Makes two tables, "Odd Schema"."User Table" ("Id") and app.orders (user_id), with one object of every kind
/// that a column can be bound to; none of them cares whether these columns are integers or UUIDs. Some rows
/// too. The roles "Owner One", bob and "Carol C" are the server's, and made if they are not there.
void make_bound_schema(Db& db);

/// `pg_dump --schema-only`, without what is random in it.
std::string schema_dump(const std::string& dsn);

/// Adds the shadow columns "Id_new" and user_id_new of type uuid with twins of the indexes, as a retype does.
void expand_bound_schema(Db& db);

/// What lies between the drops and the creates of the cut-over of an expanded schema, and of its way back.
std::vector<std::string> bound_schema_cutover();
std::vector<std::string> bound_schema_way_back();

/// Takes the shadow columns away.
void contract_bound_schema(Db& db);

}  // namespace pgsluice::test
