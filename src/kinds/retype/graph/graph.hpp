#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kinds/retype/graph/conversion.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::steps::retype {

/// A column of a table of the graph: indices into Graph::tables and GraphTable::columns.
struct Place {
  int table = 0;
  int column = 0;

  bool operator==(const Place&) const = default;
};

/// Where a column's values come from when an INSERT gives none.
struct ColumnSource {
  std::string default_sql;   // empty: none
  std::string identity;      // `GENERATED ALWAYS AS IDENTITY (…)` with its sequence's options; empty: none
  std::string sequence_sql;  // owned by the column, quoted and qualified; empty: none
  std::vector<std::string> drawn_from;  // integer sequences that the default draws from, except the column's
                                        // own, and that this role may alter

  bool is_none() const { return default_sql.empty() && identity.empty(); }
};

/// A column whose type changes: a root, named by the operator, or one that refers to a root through foreign
/// keys.
struct GraphColumn {
  std::string name;
  int attnum = 0;
  std::string type;          // as SQL writes it: "integer"
  TypeFacts old_type;        // of the values to keep: `type`, or after the cut-over the old column's
  std::string old_type_sql;  // the same, as SQL writes it, with its modifier
  Conversion forward;        // from the old type to the new one without an expression; `backward`: back
  Conversion backward;
  Conversion as_text;  // of an old value
  bool is_not_null = false;
  bool is_not_null_late = false;  // set after its shadow's checks had been added, so that the shadow lacks it
  bool old_is_not_null = false;   // after the cut-over: that of the old column
  ColumnSource source;
  ColumnSource old_source;         // after the cut-over: of the old column
  std::optional<Place> refers_to;  // the column whose values it holds; nullopt: a root
  std::vector<int> of_partitions;  // its attnum in each of GraphTable::partitions
  int through = -1;                // the foreign key by which it refers, in Graph::foreign_keys
  int level = 0;                   // 0: a root; else one more than that of the column it refers to
};

/// An existing twin of a partitioned table's index or foreign key, with its parts' names in the order of
/// GraphTable::partitions. For a partition that is added later, the server makes and names the part.
struct JoinedTwin {
  std::string name;
  std::vector<std::string> parts;  // empty: no part on that partition
};

/// What indexes and foreign keys have in common: those of a partitioned table have a part on each partition.
struct Partitioned {
  std::string name;
  std::vector<std::string> of_partitions;  // the parts' names, in the order of GraphTable::partitions
  std::vector<JoinedTwin> joined;
};

/// An index that holds a changing column, split into the pieces of CREATE INDEX.
struct GraphIndex : Partitioned {
  struct Part {
    std::string sql;  // a column's name, unquoted, or an expression
    bool is_column = true;
    std::string suffix;  // ` COLLATE … opclass DESC NULLS LAST`, empty for a changing column's defaults
  };

  std::string constraint_type;  // "p", "u", or empty for a plain index
  bool is_unique = false;
  bool is_deferrable = false;
  bool is_deferred = false;
  bool is_nulls_not_distinct = false;
  std::string method;  // btree, hash, …
  std::vector<Part> parts;
  int key_parts = 0;       // the rest are INCLUDE columns
  std::string options;     // "fillfactor='70'", empty: none
  std::string tablespace;  // empty: the default
  std::string predicate;   // empty: none
  std::string comment;
  std::string refusal;  // not empty: why it cannot be built over the new type
};

/// A CHECK constraint that mentions a changing column.
struct GraphCheck {
  std::string name;
  std::string expression;
  bool is_validated = true;
  std::string comment;
  bool is_late = false;  // its table's checks have been added, and its twin is missing or less valid
};

/// A partition, which holds rows. Indexes are built and foreign keys proved on each one; the rest follows the
/// parent.
struct GraphPartition {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;

  std::string sql() const;  // quoted and qualified
};

struct GraphTable {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  std::string kind;                                // pg_class.relkind
  std::vector<GraphColumn> columns;                // the changing ones
  std::map<std::string, std::string> all_columns;  // name to type, of every column
  std::vector<GraphIndex> indexes;                 // that hold a changing column
  std::vector<GraphCheck> checks;                  // likewise
  std::vector<GraphPartition> partitions;          // of a table of kind "p", by name
  std::vector<std::string> key;                    // columns of the primary key; empty: none
  bool row_security_applies = false;               // to our role
  std::vector<std::string> update_triggers;        // enabled, user-made: the fill fires them

  std::string sql() const;  // quoted and qualified
};

/// A foreign key whose two sides change together.
struct GraphForeignKey : Partitioned {
  int table = 0;
  std::vector<std::string> columns;
  int ref_table = 0;
  std::vector<std::string> ref_columns;
  std::string rules;                           // ` MATCH FULL ON UPDATE CASCADE`
  std::string on_delete;                       // ` ON DELETE SET NULL`
  std::vector<std::string> on_delete_columns;  // of SET NULL (…), server 15
  bool is_deferrable = false;
  bool is_deferred = false;
  bool is_validated = true;
  std::string comment;
};

/// The closure of a retype's root columns over the foreign keys of all schemas, as the catalog shows it now:
/// before the cut-over the columns of the old type, after it those of the new. Parents come before their
/// children, tables of a cycle in order of name. Immutable value.
struct Graph {
  std::vector<GraphTable> tables;
  std::vector<GraphForeignKey> foreign_keys;
  TypeFacts to;                        // the new type
  std::string v5_function;             // qualified; empty: not found
  std::vector<std::string> obstacles;  // what stands in the way, by name; empty: nothing found here

  const GraphColumn& at(Place place) const {
    return tables[static_cast<std::size_t>(place.table)].columns[static_cast<std::size_t>(place.column)];
  }
  const GraphTable& table_of(Place place) const { return tables[static_cast<std::size_t>(place.table)]; }
};

/// Reads the graph of `step`'s columns. Throws Error(kRefused) if a table or column is missing or a table has
/// no primary key of one column. Takes ACCESS SHARE locks at most. REQUIRES: a transaction of the caller,
/// whose settings are as before when this returns.
Graph read_graph(pg::Session& session, const RetypeStep& step);

}  // namespace pgsluice::steps::retype
