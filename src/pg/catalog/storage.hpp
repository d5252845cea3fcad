#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// An index of a table, or of one of its partitions.
struct IndexFacts {
  std::string name;
  bool is_valid = true;
  bool is_building = false;  // a session is building it right now
  std::int64_t bytes = 0;
  std::vector<std::string> columns;  // every column that it depends on: key, INCLUDE, expression, predicate
};

/// What a table is on disk, and what an UPDATE of it costs. Includes its partitions. Immutable value.
struct Storage {
  std::int64_t heap_bytes = 0;      // without TOAST
  std::int64_t total_bytes = 0;     // with indexes and TOAST
  double row_bytes = 0;             // average size of a row version with its header; 0: not known
  bool is_analysed = false;         // false: every estimate is a guess
  std::int64_t wraparound_age = 0;  // of the table's oldest row, in transactions
  std::vector<IndexFacts> indexes;
};

/// Catalog and statistics only. Throws Failure.
Storage read_storage(Session& session, std::uint32_t table_oid);

/// User-defined, enabled triggers that an UPDATE of these columns fires (UPDATE OF other columns does not
/// count).
std::vector<std::string> fired_triggers(Session& session, std::uint32_t table_oid,
                                        const std::vector<std::string>& columns);
/// Those of them that may give the new row other values: BEFORE, FOR EACH ROW.
std::vector<std::string> rewriting_triggers(Session& session, std::uint32_t table_oid,
                                            const std::vector<std::string>& columns);

/// Names of the index and, on a partitioned table, of its partitions' indexes, as EXPLAIN shows them.
std::vector<std::string> index_part_names(Session& session, const std::string& index_sql);

/// Two neighbouring values of the column from the planner's statistics, near the middle of the table, as
/// texts under DateStyle ISO and TimeZone UTC (REQUIRES: set); twice the same if only one is known, empty if
/// the table was never analysed or we may not see it.
struct MiddleValues {
  std::string value;
  std::string next;
};
MiddleValues middle_values(Session& session, std::uint32_t table_oid, const std::string& column);

}  // namespace pgsluice::pg
