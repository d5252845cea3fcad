#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/key.hpp"
#include "pgsluice/job.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// A way to visit only the rows that a `where` with an upper bound can match: along an index of the bounded
/// column, up to the last row that matches.
struct Boundary {
  std::vector<pg::Column> key;  // the bounded column, then a unique key for rows that have it equal
  std::string index;
  std::optional<pg::Key> end;  // of the last row that matches; nullopt: none does
  std::int64_t rows = 0;       // that match, as estimated
  walk::Lead lead = walk::Lead::kWholeKey;
};

/// What the choice depends on.
struct BoundaryFacts {
  std::string index;           // on the column; empty: there is none
  bool has_whole_key = false;  // the index goes on with the unique key
  int server_version = 0;
  double rows_of_one_value = 0;  // of the column, on average; 0: not known
  double correlation = 0;        // of the column's order with the rows' on disk
  double share = 1;              // of the table's rows that match
};

/// Why walking along the bounded column would not pay; empty: it does. Pure.
std::string boundary_problem(const BoundaryFacts& facts);

/// Finds the last row that matches. Pure.
std::string last_match_sql(const BackfillStep& step, const pg::Table& table,
                           const std::vector<pg::Column>& key);

/// nullopt if there is none, or it would not pay. `unique`: a unique key of the table. REQUIRES: a plain
/// table, and a `where` whose times are fixed. Throws Failure.
std::optional<Boundary> read_boundary(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                                      const std::vector<pg::Column>& unique);

}  // namespace pgsluice::engine
