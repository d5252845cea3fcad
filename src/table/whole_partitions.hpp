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
  std::string parent_sql;  // directly above it
  bool can_be_detached_concurrently = false;
  double rows = 0;  // estimated
};

/// The server says itself which partitions no row outside of `where` can be in: it leaves them out of the
/// plan of a query for such rows. None where dropping a partition would not be the same as deleting its rows:
/// with an archive, a referring table, a trigger or rule on DELETE, or something that depends on the
/// partition. Throws Failure.
std::vector<WholePartition> read_whole_partitions(pg::Session& session, const Removal& removal);

/// What has become of a partition that was to be dropped.
enum class PartitionState {
  kAttached,
  kPending,   // DETACH CONCURRENTLY was interrupted: its rows are invisible already
  kDetached,  // a table of its own
  kGone,
};
PartitionState partition_state(pg::Session& session, std::uint32_t oid);

}  // namespace pgsluice::engine
