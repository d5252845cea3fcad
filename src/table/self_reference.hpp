#pragma once

#include <string>

#include "table/referrers.hpp"

namespace pgsluice::engine {

/// A foreign key of a table on itself.
inline bool is_of_itself(const Referrer& referrer) {
  return referrer.table_sql == referrer.referenced_sql;
}

/// What makes rows of such a table refer to nothing, in words for a hint. Pure.
std::string refer_to_nothing(const Referrer& referrer);

}  // namespace pgsluice::engine
