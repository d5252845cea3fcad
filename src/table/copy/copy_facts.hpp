#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "table/copy/copy_columns.hpp"
#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// A copy as both servers' catalogs have it.
struct CopyFacts {
  Copying copying;
  MatchedColumns matched;
  std::vector<std::string> triggers;      // of the target, that an INSERT fires
  std::vector<std::string> foreign_keys;  // of the target: "orders_user_fk to public.users"
};

/// The target database is the source too: their sessions may be one. Catalog reads only. Throws Error if the
/// step cannot work, naming the table or column; Failure.
CopyFacts read_copy_facts(pg::Session& source, pg::Session& target, const CopyStep& step);

/// Copies a few rows into a temporary table of the target's column types, and rolls it back: what a type, a
/// domain or an expression refuses shows before anything is written. Rows further on may still differ. Throws
/// Error, Failure.
void try_copy(pg::Session& source, pg::Session& target, const Copying& copying);

/// Where the step reads; nullopt: in the target's own database. Throws Error(kUsage), without repeating it.
std::optional<pg::ConnectionTarget> source_of(const CopyStep& step);

}  // namespace pgsluice::engine
