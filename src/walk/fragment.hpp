#pragma once

#include <string>

#include "pg/rows.hpp"

namespace pgsluice::walk {

/// A piece of SQL with the values of its $1, $2, …
struct Fragment {
  std::string sql;
  pg::Params params;
};

}  // namespace pgsluice::walk
