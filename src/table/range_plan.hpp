#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// The server's own plan (EXPLAIN) of the two statements of a batch that read the table, with values from the
/// statistics instead of a batch's ends.
struct RangePlan {
  std::string text;
  bool uses_key_index = false;  // both do, by name
};

/// nullopt: the statistics contain no key value, so the server's choice cannot be predicted. Throws Failure.
std::optional<RangePlan> explain_range(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                                       const walk::Keyset& keyset, const pg::UniqueKey& key,
                                       std::int64_t rows);

/// The unique key that these columns form. REQUIRES: chosen by pg::choose_key.
const pg::UniqueKey& key_behind(const pg::Table& table, const std::vector<pg::Column>& columns);

/// The planner's own estimate of how many rows match `where`; nullopt: it cannot be asked yet. Throws Failure
/// only for a lost connection.
std::optional<std::int64_t> estimate_matching(pg::Session& session, const pg::Table& table,
                                              const std::string& where);

}  // namespace pgsluice::engine
