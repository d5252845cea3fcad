#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "table/removal.hpp"

namespace pgsluice::engine {

/// A partition all of whose rows a purge deletes, by its bounds: also rows that are still to come. A value.
struct WholePartition {
  std::uint32_t oid = 0;
  std::string table_sql;
  std::string parent_sql;  // directly above it: the purged table
  std::string stays_sql;   // asks whether it holds a row that stays, whatever its bounds say
  double rows = 0;         // estimated
};

/// Those of a table that is partitioned by ranges of a column which `where` bounds from above. The server
/// says itself which partitions no row outside of `where` can be in: it leaves them out of the plan of a
/// query for such rows. None where dropping a partition would not be the same as deleting its rows: with an
/// archive, a referring table, a trigger or rule on DELETE, a publication, or something that depends on the
/// partition; none beside a default partition or before server 14, where detaching would block others; and
/// none if no partition would be left. Throws Failure.
std::vector<WholePartition> read_whole_partitions(pg::Session& session, const Removal& removal);

/// The same of a partition that is known; its name may be another by now. `oid`: 0 if it is gone.
WholePartition known_partition(pg::Session& session, const Removal& removal, std::uint32_t oid);

/// What has become of a partition that was to be dropped.
enum class PartitionState {
  kAttached,   // to the purged table
  kPending,    // DETACH CONCURRENTLY was interrupted: its rows are invisible already
  kDetached,   // a table of its own
  kElsewhere,  // attached to another table
  kGone,
};
PartitionState partition_state(pg::Session& session, std::uint32_t oid, const std::string& parent_sql);

}  // namespace pgsluice::engine
