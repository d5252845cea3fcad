#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Something that a retype creates or leaves behind.
struct MadeObject {
  std::string kind;  // trigger, constraint, index, column, old column, function, sequence; table and
                     // partition: what they are on; default: what the cut-over gave a column
  std::string name;  // quoted; qualified where it belongs to a schema
  std::uint32_t table_oid = 0;
};

/// Everything that may be created from expand to contract, except what is dropped with its column. For a
/// retype that has not begun. "table" and "partition" are the tables themselves, which belong to the
/// application.
std::vector<MadeObject> objects_to_be_made(const Retype& retype);

/// The defaults that the columns have now, as `"id" ` and an md5 of the expression: taken right after the
/// cut-over, to recognise later ones. REQUIRES: a transaction.
std::vector<MadeObject> defaults_made(pg::Session& session, const Graph& graph);

/// Those that exist already, in words: an object of somebody else must not be mistaken for ours.
std::vector<std::string> objects_in_the_way(pg::Session& session, const std::vector<MadeObject>& objects);

struct TableNow {
  std::string sql;           // quoted and qualified
  std::string schema_sql;    // quoted
  bool is_attached = false;  // a partition: its columns belong to its parent
};

/// The tables of `objects` as they are now, by oid. Dropped ones are left out.
std::map<std::uint32_t, TableNow> tables_now(pg::Session& session, const std::vector<MadeObject>& objects);

/// Those of `objects` whose table has left the graph: a detached partition, a child whose foreign key was
/// dropped. Nothing of ours is kept up there.
std::vector<MadeObject> left_behind(const Graph& graph, const std::vector<MadeObject>& objects);

/// In tables that are still part of the graph: our columns of this kind, "column" or "old column", beside a
/// column that has left it.
std::vector<MadeObject> columns_left(const Graph& graph, const std::vector<MadeObject>& objects,
                                     const std::string& kind);
/// Conversely: shadows that a column of the graph needs and that `objects` lacks.
std::vector<MadeObject> shadows_lacking(const Graph& graph, const std::vector<MadeObject>& objects);

/// Statements that drop them, whatever has become of the tables. `going` is the kind of column to drop:
/// "column" before the cut-over, "old column" at contract.
std::vector<std::string> removal_of(const std::vector<MadeObject>& objects,
                                    const std::map<std::uint32_t, TableNow>& tables,
                                    const std::string& going);

}  // namespace pgsluice::steps::retype
