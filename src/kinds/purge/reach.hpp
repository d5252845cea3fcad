#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "table/removal.hpp"

namespace pgsluice::engine {

/// How many rows of a referring table a sample of the rows to be deleted reaches.
struct Reach {
  Referrer referrer;
  bool is_counted = false;   // not without an index, nor if it took too long
  std::int64_t sampled = 0;  // rows to be deleted that were looked at
  std::int64_t reached = 0;  // rows that refer to these

  /// "about 2.4 rows of … for each deleted row"; empty if it reaches none.
  std::string in_words() const;
};

/// Counts them. Pure.
std::string reach_sql(const Removal& removal, const Referrer& referrer, std::int64_t matching);

/// Of each foreign key that refers to the table itself. `matching`: rows that are to be deleted, as
/// estimated. Throws Failure only for a lost connection.
std::vector<Reach> read_reach(pg::Session& session, const Removal& removal, std::int64_t matching);

}  // namespace pgsluice::engine
