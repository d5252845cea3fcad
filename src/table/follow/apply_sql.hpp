#pragma once

#include <cstddef>
#include <string>

#include "table/follow/following.hpp"

namespace pgsluice::engine {

/// What makes the target's rows what the source's are. Pure. Keys travel as text.

/// Deletes the target's rows of these keys, one text[] parameter a key column, but for those to which a row
/// of a followed table still refers: it would be changed or go too, or stand against it.
std::string delete_keys_sql(const FollowedTables& tables, std::size_t place);
/// Places of those keys that are, to the target, none of the live ones: one text[] parameter a key column of
/// either, the gone ones first.
std::string absent_keys_sql(const Following& following);
/// Which of these keys the target has: one text[] parameter a key column; the key's columns as text.
std::string present_keys_sql(const Following& following);
/// Instead of an upsert that a unique key of others refuses: the stage's rows in place of those of the same
/// keys, in one statement.
std::string replace_staged_sql(const Following& following);

}  // namespace pgsluice::engine
