#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Something that a retype makes or leaves behind.
struct MadeObject {
  std::string kind;  // trigger, constraint, index, column, old column, function, sequence; table and
                     // partition: which bears them; default: what the cut-over gave a column
  std::string name;  // quoted; qualified where it belongs to a schema
  std::uint32_t table_oid = 0;
};

/// All that may be made from expand to contract, besides what goes with its column. For a retype that has not
/// begun. "table" and "partition" stand for the tables themselves, which are the application's.
std::vector<MadeObject> objects_to_be_made(const Retype& retype);

/// The defaults that the columns have now, `"id" ` and an md5 of the expression: right after the cut-over, to
/// be told from later ones. REQUIRES: a transaction.
std::vector<MadeObject> defaults_made(pg::Session& session, const Graph& graph);

/// What is there of them already, in words: nobody else's object may be taken for ours.
std::vector<std::string> objects_in_the_way(pg::Session& session, const std::vector<MadeObject>& objects);

struct TableNow {
  std::string sql;           // quoted and qualified
  std::string schema_sql;    // quoted
  bool is_attached = false;  // a partition: its columns are its parent's
};

/// The tables of `objects` as they are now, by oid. One that is gone is not in it.
std::map<std::uint32_t, TableNow> tables_now(pg::Session& session, const std::vector<MadeObject>& objects);

/// Those of `objects` whose table has left the graph: a partition that was detached, a child whose foreign
/// key was dropped. Nothing of ours goes on there.
std::vector<MadeObject> left_behind(const Graph& graph, const std::vector<MadeObject>& objects);

/// Of tables that are still part of the graph: columns of ours of this kind, "column" or "old column", beside
/// a column that has left it.
std::vector<MadeObject> columns_left(const Graph& graph, const std::vector<MadeObject>& objects,
                                     const std::string& kind);
/// The other way round: shadows that a column of it would need, and that `objects` does not have.
std::vector<MadeObject> shadows_lacking(const Graph& graph, const std::vector<MadeObject>& objects);

/// What takes them away whatever became of the tables. `going` is the kind of column that goes: "column"
/// before the cut-over, "old column" at contract.
std::vector<std::string> removal_of(const std::vector<MadeObject>& objects,
                                    const std::map<std::uint32_t, TableNow>& tables,
                                    const std::string& going);

}  // namespace pgsluice::steps::retype
