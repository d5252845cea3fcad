#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bench/rolled/strip.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::bench {

/// Everything that a rolled-back batch needs, for the lane's own thread.
struct RolledWork {
  std::shared_ptr<Strip> strip;
  std::int64_t rows = 0;
  pg::TransactionLimits limits;
  std::uint32_t table_oid = 0;
  bool is_sampled = false;  // with EXPLAIN (ANALYZE, WAL) around the UPDATE: its duration is meaningless
};

/// What the server reports about a sampled batch's UPDATE.
struct BatchSample {
  std::int64_t rows = 0;  // updated
  std::int64_t hot = 0;   // of these
  std::optional<double> wal_bytes;
};

/// How it ended. A value.
struct RolledOutcome {
  std::int64_t changed = 0;
  bool is_full = false;
  std::optional<BatchSample> sample;
  std::chrono::nanoseconds duration{0};  // from BEGIN to the answer of ROLLBACK
  std::string sqlstate;                  // of the failure; empty: none
  std::string message;
  pg::Disposition disposition = pg::Disposition::kCommitted;  // what the real batch would have been
};

/// Runs one batch and rolls it back: finds where it ends and changes the rows. Blocks; never throws Failure.
RolledOutcome run_rolled_batch(pg::Session& session, const RolledWork& work);

}  // namespace pgsluice::bench
