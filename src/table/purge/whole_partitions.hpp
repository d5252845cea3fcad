#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "table/removal.hpp"

namespace pgsluice::engine {

/// A partition all of whose rows a purge takes away, by its bounds: also rows that are still to come. A
/// value.
struct WholePartition {
  std::uint32_t oid = 0;
  std::string table_sql;
  std::string parent_sql;     // directly above it: the purged table
  std::string stays_sql;      // asks whether it holds a row that stays, whatever its bounds say
  double rows = 0;            // estimated
  std::string bounds;         // "FOR VALUES FROM … TO …"
  std::string archive_sql{};  // what it becomes a partition of; empty: it is dropped
};

/// Those of a table that is partitioned by ranges of a column which `where` bounds from above. The server
/// says itself which partitions no row outside of `where` can be in: it leaves them out of the plan of a
/// query for such rows. None where this would not be the same as deleting its rows: with a referring table, a
/// trigger or rule on DELETE, a publication, or something that depends on the partition; with an archive that
/// is not partitioned likewise, has triggers, or would keep foreign keys; none beside a default partition or
/// before server 14, where detaching would block others; and none if no partition would be left. Throws
/// Failure.
std::vector<WholePartition> read_whole_partitions(pg::Session& session, const Removal& removal);

/// The same of a partition that is known; its name may be another by now. `oid`: 0 if it is gone. `bounds`:
/// those that it had, since a detached one has none.
WholePartition known_partition(pg::Session& session, const Removal& removal, std::uint32_t oid,
                               const std::string& bounds);

/// Whether the archive takes a partition with these bounds: tried on an empty likeness, and rolled back. True
/// for one that is dropped. Throws Failure only for a lost connection.
bool is_taken(pg::Session& session, const WholePartition& partition);

/// What is_taken() tries; none for one that is dropped. Pure.
std::vector<std::string> trial_statements(const WholePartition& partition);

std::string attach_sql(const WholePartition& partition);

/// What has become of a partition that was to be dropped.
enum class PartitionState {
  kAttached,   // to the purged table
  kPending,    // DETACH CONCURRENTLY was interrupted: its rows are invisible already
  kDetached,   // a table of its own
  kArchived,   // attached to the archive
  kElsewhere,  // attached to another table
  kGone,
};
PartitionState partition_state(pg::Session& session, const WholePartition& partition);

}  // namespace pgsluice::engine
