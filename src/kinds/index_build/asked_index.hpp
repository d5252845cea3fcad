#pragma once

#include <optional>
#include <string>

#include "job/sql/statement.hpp"
#include "kinds/index_build/index.hpp"

namespace pgsluice::engine {

/// What the text of a CREATE INDEX asks for.
struct AskedIndex {
  job::StatementFacts facts;  // with its table
  std::string table_sql;      // quoted
  steps::IndexWanted wanted;
};

/// nullopt if it names no table. Pure.
std::optional<AskedIndex> asked_index(const std::string& sql);

/// The quoted name that the index has or will have. Throws Failure.
std::string index_sql_of(pg::Session& session, const AskedIndex& asked);

}  // namespace pgsluice::engine
