#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kinds/acts/act.hpp"
#include "table/purge/whole_partitions.hpp"

namespace pgsluice::engine {

/// An act of a purge. One that drops a partition is not run by run_acts().
struct PurgeAct {
  Act act;
  std::optional<WholePartition> dropped{};
};

/// What a purge does, in order: partitions of which every row goes, the batches, and VACUUM if that is asked
/// for. Pure.
std::vector<PurgeAct> purge_acts(const PurgeStep& step, std::int64_t step_id, const std::string& table_sql,
                                 const std::vector<WholePartition>& partitions);

/// The partitions that this purge drops: those that it noted when it began and that are still there, or, if
/// it begins now, those that match wholly, which it notes. Throws Error, Failure.
std::vector<WholePartition> settle_partitions(pg::Session& session, const PurgeStep& step,
                                              std::int64_t step_id);

}  // namespace pgsluice::engine
