#include "lanes/lease/range_measure.hpp"

#include <algorithm>
#include <cmath>

#include "pg/connection/transaction.hpp"
#include "walk/blocks.hpp"

namespace pgsluice::engine {
namespace {

constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{10'000}, true};

Measured sampled(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate) {
  const auto percent = sample_percent(step.table.pages);
  const auto sample = step.keyset->sample(candidate.position, candidate.upper, 2, percent);
  const auto keys = session.exec(sample.sql, sample.params);
  if (keys.empty()) return {};
  const auto met = keys.real(0, step.keyset->key().size());
  return {std::llround(met * 100 / percent), step.keyset->read_key(keys, 0)};
}

std::optional<pg::Key> ahead(pg::Session& session, const PreparedBackfill& step,
                             const ledger::Candidate& candidate, std::int64_t rows) {
  const auto bound = step.keyset->bound(candidate.position, candidate.upper, rows);
  const auto found = step.keyset->read_bound(session.exec(bound.sql, bound.params));
  if (!found || found->is_past_range) return std::nullopt;
  return found->key;
}

Measured counted_ahead(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate,
                       std::int64_t rows) {
  if (!ahead(session, step, candidate, rows)) return {};
  return {std::max(rows, candidate.rows_left),
          ahead(session, step, candidate, std::max<std::int64_t>(1, rows / 2))};
}

/// A lock it did not get, a statement_timeout, or a table that was altered: the batches report that better.
bool is_without_answer(const pg::Failure& failure) {
  if (failure.sqlstate() == pg::kLockNotAvailable || failure.sqlstate().starts_with("42")) return true;
  return failure.sqlstate() == pg::kQueryCanceled && failure.cancelled_by() != pg::CancelledBy::kUs &&
         !failure.is_somebodys_cancel(kSampleLimits.statement_timeout);
}

Measured measure_keys(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate,
                      std::int64_t rows_to_split) {
  try {
    return pg::in_transaction(session, kSampleLimits, [&] {
      auto found = sampled(session, step, candidate);
      if (found.middle && found.rows_left >= rows_to_split) return found;
      return counted_ahead(session, step, candidate, rows_to_split);
    });
  } catch (const pg::Failure& failure) {
    if (!is_without_answer(failure)) throw;
    return {};  // the lane that asked works on without a split
  }
}

Measured measure_blocks(const PreparedBackfill& step, const ledger::Candidate& candidate,
                        std::int64_t rows_to_split) {
  auto at = walk::BlockPosition::of(*candidate.position);  // a range of blocks has a lower end
  const auto upper = walk::BlockPosition::of(candidate.upper).block;
  Measured found;
  found.rows_left =
      std::llround(static_cast<double>(upper - at.block) * std::max(1.0, step.ground.rows_per_page));
  if (found.rows_left < rows_to_split) return found;
  if (const auto middle = walk::block_middle(at, upper))
    found.middle = walk::BlockPosition{at.heap, *middle, std::nullopt}.key();
  return found;
}

}  // namespace

Measured measure(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate,
                 std::int64_t rows_to_split) {
  return ledger::is_by_blocks(candidate.walk) ? measure_blocks(step, candidate, rows_to_split)
                                              : measure_keys(session, step, candidate, rows_to_split);
}

}  // namespace pgsluice::engine
