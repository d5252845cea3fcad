#include "engine/final_pass.hpp"

#include "base/failpoint.hpp"
#include "engine/block_ranges.hpp"
#include "ledger/split.hpp"
#include "pg/heap.hpp"
#include "pg/transaction.hpp"
#include "steps/backfill/block_update.hpp"

namespace pgsluice::engine {
namespace {

// Each sweep finds what moved during the one before: a thousandth of a thousandth after two.
constexpr int kSweepsMax = 5;

// No statement_timeout: the table is read once, however large it is, under a lock that hinders nobody.
constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0},
                                            true};

bool is_any_left(pg::Session& session, const PreparedBackfill& step) {
  return pg::in_transaction(session, kLookLimits, [&] {
    return session.exec_cancellable(steps::any_left_sql(step.table, step.definition), {}).boolean(0, 0);
  });
}

}  // namespace

Completeness look_for_rows_left(pg::Session& session, const PreparedBackfill& step, int lanes, int sweeps) {
  const auto counts = ledger::range_counts(session, step.step_id);
  if (counts.blocks == 0 || counts.keys > 0) return Completeness::kProved;  // a key's walk proves by itself
  if (!is_any_left(session, step)) return Completeness::kProved;
  if (!step.keyset && sweeps >= kSweepsMax) return Completeness::kGivenUp;
  auto ranges = step.keyset ? key_ranges(session, step, lanes)
                            : block_ranges(pg::read_heaps(session, step.table.oid), lanes);
  for (auto& range : ranges) {
    if (range.walk == ledger::RangeWalk::kKeyset) range.walk = ledger::RangeWalk::kFinal;
  }
  base::failpoint("blocks_final_pass");
  return ledger::extend(session, step.step_id, counts.blocks, ranges) ? Completeness::kCut
                                                                      : Completeness::kGoOn;
}

}  // namespace pgsluice::engine
