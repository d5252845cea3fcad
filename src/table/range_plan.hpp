#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// The server's own plan (EXPLAIN) of the two statements of a batch that read the table, with values from the
/// statistics in place of a batch's ends.
struct RangePlan {
  std::string text;
  bool uses_key_index = false;  // both do, by name
};

/// nullopt: the statistics know no key value, so the server's choice cannot be foreseen. Throws Failure.
std::optional<RangePlan> explain_range(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                                       const walk::Keyset& keyset, const pg::UniqueKey& key,
                                       std::int64_t rows);

/// The unique key that stands behind these columns. REQUIRES: chosen by pg::choose_key.
const pg::UniqueKey& key_behind(const pg::Table& table, const std::vector<pg::Column>& columns);

/// The planner's own guess of how many rows match `where`; nullopt: it cannot be asked yet. Throws Failure
/// for a lost connection only.
std::optional<std::int64_t> estimate_matching(pg::Session& session, const pg::Table& table,
                                              const std::string& where);

}  // namespace pgsluice::engine
