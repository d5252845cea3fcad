#pragma once

#include <cstdint>
#include <string>

#include "engine/batch.hpp"
#include "pg/catalog.hpp"
#include "pgsluice/job.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// A backfill step as every lane needs it: constant from the moment it was prepared, so shared freely.
struct PreparedBackfill {
  std::int64_t step_id = 0;
  pg::Table table;
  walk::Keyset keyset;
  UpdateSql update_sql;
  std::chrono::milliseconds deadlock_timeout{1'000};
};

/// Reads the catalog and checks the step against it. Blocks. Throws Error for what cannot work.
PreparedBackfill prepare_backfill(pg::Session& session, const BackfillStep& step, std::int64_t step_id);

/// Cuts the step into ranges, a few per lane, from a sample of pages; nothing if it was cut before. Blocks.
void cut_into_ranges(pg::Session& session, const PreparedBackfill& step, int lanes);

/// Percent of the table's pages that a sample reads: about kSamplePages, at least one page.
double sample_percent(std::int64_t pages);

}  // namespace pgsluice::engine
