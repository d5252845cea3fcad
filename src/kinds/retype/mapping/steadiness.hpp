#pragma once

#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

/// An expression over one column, and rows to try it on.
struct ExpressionTrial {
  std::string column;      // unquoted
  std::string type;        // of the column
  std::string base_type;   // without its domains
  std::string expression;  // over the column's bare name
  std::string sample;      // a query that gives values of the column; empty: none
};

/// Why the expression may give another value in another session or at another time; empty: it does not. The
/// server is asked twice: an index over the expression takes only what is IMMUTABLE, and the values for
/// sampled rows and some awkward ones must be the same under other settings, as some functions that are
/// declared IMMUTABLE are not. REQUIRES: a transaction that the caller rolls back; creates a temporary table.
/// Throws Failure: what the server says if the expression is not valid.
std::string unsteadiness(pg::Session& session, const ExpressionTrial& trial);

}  // namespace pgsluice::steps::retype
