#pragma once

#include <cstdint>
#include <string>

#include "pg/catalog/catalog.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::bench {

/// Copies of a table in the schema pgsluice_bench, which is ours alone and is dropped with all its tables.
/// All functions block and throw Failure; the ones that read or write rows may be cancelled.

constexpr const char* kCopySchema = "pgsluice_bench";

/// Makes sure, for as long as the session lives, that no other bench works on copies in this database. False:
/// another one does.
bool take_copy_lock(pg::Session& session);

/// Removes what an earlier bench left behind. Throws Error(kRefused) if a schema of that name is not ours.
void drop_copies(pg::Session& session);
void make_copy_schema(pg::Session& session);

/// Stores about `rows` rows of the table as the source, from pages all over it, in the table's order; all
/// rows if it has no more. Returns how many.
std::int64_t make_source(pg::Session& session, const pg::Table& table, std::int64_t rows);

/// A new table like the given one, filled from the source and vacuumed: with its indexes, checks, defaults
/// and fillfactor, without foreign keys and triggers, and without autovacuum. It has the table's own name. An
/// earlier copy is dropped.
void make_copy(pg::Session& session, const pg::Table& table);

}  // namespace pgsluice::bench
