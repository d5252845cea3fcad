#pragma once

#include "lanes/batch/backfill_step.hpp"
#include "lanes/foretelling/sampled.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

/// Rows that go into the likeness: a pass then changes a few hundred, and filling it takes some 50 ms.
constexpr std::int64_t kLikenessRows = 5'000;

/// A later pass of an interleaved walk, tried in one transaction that is rolled back: on a table made like
/// the real one, with some of its rows and room on its pages. The real table is only read. Nothing, if the
/// role may not create tables there, or an event trigger would fire. Throws Failure, with the transaction
/// rolled back.
SampledPass sample_later_pass(pg::Session& session, const PreparedBackfill& step, int passes,
                              const pg::TransactionLimits& limits);

}  // namespace pgsluice::engine
