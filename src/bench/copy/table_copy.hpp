#pragma once

#include <cstdint>
#include <string>

#include "pg/catalog/catalog.hpp"
#include "pg/session.hpp"

namespace pgsluice::bench {

/// Copies of a table in the schema pgsluice_bench, which is ours alone: every table of it goes with it. All
/// block and throw Failure; the ones that read or write rows may be cancelled.

constexpr const char* kCopySchema = "pgsluice_bench";

/// Makes sure that no other bench works on copies in this database, for as long as the session lives. False:
/// another one does.
bool take_copy_lock(pg::Session& session);

/// Removes what an earlier bench left. Throws Error(kRefused) if a schema of that name is somebody else's.
void drop_copies(pg::Session& session);
void make_copy_schema(pg::Session& session);

/// Keeps about `rows` rows of the table, of pages from all over it, in its own order; all of them if it has
/// no more. Returns how many.
std::int64_t make_source(pg::Session& session, const pg::Table& table, std::int64_t rows);

/// A new table like the given one, filled from the source and vacuumed: with its indexes, checks, defaults
/// and fillfactor, without foreign keys and triggers, and without autovacuum. It has the table's own name. An
/// earlier copy is dropped.
void make_copy(pg::Session& session, const pg::Table& table);

}  // namespace pgsluice::bench
