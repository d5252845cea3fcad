#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Earlier sql steps whose `down` together drop the table, or every column that backfill step `place` sets:
/// undoing them takes the backfill's values away. Empty: there are none.
std::vector<std::size_t> steps_that_take_away(pg::Session& session, const Job& job, std::size_t place);

/// How rollback undoes a step, in words and statements; or why it cannot.
struct Undo {
  bool is_possible = false;
  std::string text;
};

/// From the job alone, for a plan. `index_sql` is the quoted name of an index step's index.
Undo undo_of(pg::Session& session, const Job& job, std::size_t place, const std::string& index_sql);

}  // namespace pgsluice::engine
