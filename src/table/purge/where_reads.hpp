#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "table/removal.hpp"

namespace pgsluice::engine {

/// The tables that subqueries of a purge's `where` read, told apart by whether the purge changes them.
struct WhereReads {
  std::vector<std::string> changed;  // by the purge: its own table, one that a foreign key or `with` reaches,
                                     // or the archive; also through a view or a partition
  std::vector<std::string> others;   // as written
};

/// Functions are not seen through. Throws Failure.
WhereReads read_where_reads(pg::Session& session, const Removal& removal);

/// Throws Error(kRefused) if rows that go would change which rows go.
void refuse_moving_where(const Removal& removal, const WhereReads& reads);

}  // namespace pgsluice::engine
