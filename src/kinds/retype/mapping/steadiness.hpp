#pragma once

#include <string>

#include "pg/session.hpp"

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
/// server is asked twice: an index over the expression takes nothing that is not IMMUTABLE, and its value for
/// sampled rows and some awkward ones must be the same under other settings, for some functions are called
/// IMMUTABLE and are not. REQUIRES: a transaction that the caller rolls back; makes a temporary table.
/// Throws Failure: what the server says of an expression that means nothing.
std::string unsteadiness(pg::Session& session, const ExpressionTrial& trial);

}  // namespace pgsluice::steps::retype
