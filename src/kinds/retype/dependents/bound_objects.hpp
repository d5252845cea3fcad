#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::steps::retype {

/// A column that takes part in a retype.
struct ColumnPlace {
  std::uint32_t table_oid = 0;
  std::string table_sql;  // quoted and qualified
  int attnum = 0;
  std::string column;  // its name now, unquoted
};

/// Something that the catalog ties to a column by its number and that a rename would leave on the old column.
/// Dropped before the rename and recreated after it with the very same text, it binds to the column that has
/// the name by then. Immutable value.
struct BoundObject {
  std::string kind;                 // "view", "policy", "column grant", …
  std::string name;                 // for messages: view public.active_users
  std::vector<std::string> drop;    // statements before the rename
  std::vector<std::string> create;  // statements after it, in order
  std::string refusal;  // not empty: why it cannot be carried over, in words; there are no statements then
  std::string hint;     // what the operator can do about the refusal
  // For views: a statement that takes ACCESS EXCLUSIVE on the view alone (LOCK TABLE would also lock what it
  // selects from). To be run for all objects, in their order, before the tables are locked: a query locks a
  // view before its tables, so in the other order each would wait for the other. Empty: nothing.
  std::string lock;
  // The quoted relation on which `drop` and `create` take ACCESS EXCLUSIVE; may be a table that is not
  // retyped. Empty: none.
  std::string locked;
};

/// Everything that is bound to `columns`, except indexes, their constraints, foreign keys, CHECKs, defaults
/// and sequences. All `drop`s can run one after another in this order; the `create`s run in reverse object
/// order, after columns, constraints and indexes have their final names. The same catalog gives the same
/// order. The statements are exact under any search_path, in the role that read them.
///
/// REQUIRES: a transaction, which the caller ends; its settings are as before when this returns. Takes ACCESS
/// SHARE locks at most: on the views and, through them, on the tables. Throws pg::Failure, and
/// Error(kInternal) outside a transaction.
std::vector<BoundObject> read_bound_objects(pg::Session& session, const std::vector<ColumnPlace>& columns);

}  // namespace pgsluice::steps::retype
