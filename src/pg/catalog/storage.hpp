#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::pg {

/// An index of a table, or of one of its partitions.
struct IndexFacts {
  std::string name;
  bool is_valid = true;
  bool is_building = false;  // a session is at it right now
  std::int64_t bytes = 0;
  std::vector<std::string> columns;  // every column that it depends on: key, INCLUDE, expression, predicate
};

/// What a table is on disk, and what an UPDATE of it costs. Partitions are counted in. Immutable value.
struct Storage {
  std::int64_t heap_bytes = 0;      // without TOAST
  std::int64_t total_bytes = 0;     // with indexes and TOAST
  double row_bytes = 0;             // average size of a row version, header included; 0: not known
  bool is_analysed = false;         // else every estimate is a guess
  std::int64_t wraparound_age = 0;  // of the table's oldest row, in transactions
  std::vector<IndexFacts> indexes;
};

/// Catalog and statistics only. Throws Failure.
Storage read_storage(Session& session, std::uint32_t table_oid);

/// User-made, enabled triggers that an UPDATE of these columns fires (UPDATE OF other columns does not
/// count).
std::vector<std::string> fired_triggers(Session& session, std::uint32_t table_oid,
                                        const std::vector<std::string>& columns);
/// Of these, the ones that may give the new row other values: BEFORE, FOR EACH ROW.
std::vector<std::string> rewriting_triggers(Session& session, std::uint32_t table_oid,
                                            const std::vector<std::string>& columns);

/// Names of the index and, on a partitioned table, of its parts: what EXPLAIN shows.
std::vector<std::string> index_part_names(Session& session, const std::string& index_sql);

/// Two neighbouring values of the column from the planner's statistics, near the middle of the table, as
/// texts under DateStyle ISO and TimeZone UTC (REQUIRES: set); one and the same if only one is known, empty
/// ones if the table was never analysed or we may not see it.
struct MiddleValues {
  std::string value;
  std::string next;
};
MiddleValues middle_values(Session& session, std::uint32_t table_oid, const std::string& column);

}  // namespace pgsluice::pg
