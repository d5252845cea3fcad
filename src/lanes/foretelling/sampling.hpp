#pragma once

#include <chrono>
#include <string>

#include "lanes/batch/backfill_step.hpp"
#include "pg/connection/connection_target.hpp"
#include "pgsluice/foretold.hpp"

namespace pgsluice::engine {

/// For reading pages and for batches together: what an operator waits for without noticing.
constexpr std::chrono::milliseconds kSamplingMost{2'000};
/// Rows that sampled batches may change, counting a row each time: they leave as many dead rows until vacuum.
/// 20,000 give enough time to measure, and are little for any table that is worth the sampling ...
constexpr std::int64_t kRowsTouchedMost = 20'000;
/// ... and of a small table at most this share.
constexpr double kShareTouchedMost = 0.1;

/// Where and how batches are sampled.
struct SamplingSite {
  const pg::ConnectionTarget& target;
  std::string application_name;  // of the lanes' connections
  const Tunables& tunables;
  bool is_run_next = false;       // the step begins now, on the pages that the samples have touched
  double pace = 1;                // at which lanes may go now
  bool is_beside_others = false;  // so that batches are small
};

/// Foretells what the step will cost. Batches of the run's own statements, with as many lanes as it will use,
/// are run at places spread over the table and rolled back; where that must not be, or fails, the catalog has
/// to do, and the answer says why. Blocks for kSamplingMost, and a little more when the server is slow.
/// `session` only reads. Throws Failure only for a lost connection of `session`.
Foretold foretell(pg::Session& session, const PreparedBackfill& step, const SamplingSite& site);

/// The same from the catalog alone, because of `why`. Throws Failure.
Foretold foretell_by_catalog(pg::Session& session, const PreparedBackfill& step, int lanes,
                             const std::string& why);

}  // namespace pgsluice::engine
