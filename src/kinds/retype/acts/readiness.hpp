#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// What the graph has and its shadow side lacks: `index "a" of "public"."t" has no valid twin, constraint "b"
/// …`. Empty: the cut-over has a twin for everything. A twin is missing where something was made after the
/// acts were listed.
std::string missing_twins(pg::Session& session, const Retype& retype);

/// The quoted names of those twins.
std::vector<std::string> names_of_missing_twins(pg::Session& session, const Retype& retype);

/// Constraints and indexes over the new columns whose original was dropped: `constraint "a_new" of
/// "public"."t" …`. They would go on refusing rows.
std::string orphaned_twins(pg::Session& session, const Retype& retype);

/// As missing_twins, for the way back: what was added after the cut-over and has no twin on the old side.
std::string missing_old_twins(pg::Session& session, const Retype& retype);

/// An index over the old primary key, for a partition that was added after the cut-over.
struct KeyCopy {
  std::string index_sql;   // quoted and qualified
  std::string table_sql;   // the partition
  std::string create_sql;  // CREATE UNIQUE INDEX CONCURRENTLY …
};

/// Those that the way back needs and that are missing or not valid.
std::vector<KeyCopy> missing_key_copies(pg::Session& session, const Retype& retype);

/// Names that the retype will need for indexes and constraints and that are already in use: `index
/// "public"."a_old"`. For a retype that has not begun. Another one that is not yet contracted leaves such
/// names.
std::vector<std::string> taken_names(pg::Session& session, const Retype& retype);

/// Changes whenever an object that depends on the tables is created or dropped: if it is the same after the
/// tables are locked, what was read before still holds.
std::string dependents(pg::Session& session, const Graph& graph);

}  // namespace pgsluice::steps::retype
