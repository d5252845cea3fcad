#include "engine/final_pass.hpp"

#include "base/failpoint.hpp"
#include "engine/block_ranges.hpp"
#include "ledger/split.hpp"
#include "pg/heap.hpp"
#include "pg/transaction.hpp"
#include "steps/backfill/block_update.hpp"

namespace pgsluice::engine {
namespace {

// A sweep finds what moved during the one before: far less each time. What is still as much after two is not
// what moved but what the application adds; then the key bounds the work. Without a key more sweeps must do.
constexpr int kSweepsBeforeKey = 2;
constexpr int kSweepsMax = 5;

// Each is leased, changed and committed by itself, which takes some 3 ms; more are found by reading blocks.
constexpr int kRowsAlone = 500;

constexpr const char* kCancelled = "57014";

// No statement_timeout: the table is read once, however large it is. Its lock hinders DDL alone, and who
// waits for that has the look cancelled.
constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0},
                                            true};

bool is_any_left(pg::Session& session, const PreparedBackfill& step) {
  return pg::in_transaction(session, kLookLimits, [&] {
    return session.exec_cancellable(steps::any_left_sql(step.table, step.definition), {}).boolean(0, 0);
  });
}

/// nullopt: more than kRowsAlone.
std::optional<std::vector<ledger::NewRange>> rows_alone(pg::Session& session, const PreparedBackfill& step) {
  const auto sql = rows_left_sql(step.table, step.definition, *step.keyset);
  const auto answer =
      pg::in_transaction(session, kLookLimits, [&] { return session.exec_cancellable(sql, {}); });
  if (answer.size() > kRowsAlone) return std::nullopt;
  std::vector<ledger::NewRange> ranges;
  for (auto& [slice, rows] : step.keyset->read_slices(answer))
    ranges.push_back({std::move(slice.lower), std::move(slice.upper), rows, ledger::RangeWalk::kFinal});
  return ranges;
}

/// What finds the rows that are left.
struct Search {
  std::vector<ledger::NewRange> ranges;
  std::string how;
};

Search along_the_key(pg::Session& session, const PreparedBackfill& step, int lanes) {
  Search search{key_ranges(session, step, lanes), "all rows along the key"};
  for (auto& range : search.ranges) range.walk = ledger::RangeWalk::kFinal;
  return search;
}

/// nullopt: nothing is left.
std::optional<Search> search_for_rows_left(pg::Session& session, const PreparedBackfill& step, int lanes,
                                           int sweeps) {
  if (step.keyset) {
    auto alone = rows_alone(session, step);
    if (alone && alone->empty()) return std::nullopt;
    if (alone) return Search{std::move(*alone), "its rows that are left, by their keys"};
    if (sweeps >= kSweepsBeforeKey) return along_the_key(session, step, lanes);
  } else if (!is_any_left(session, step)) {
    return std::nullopt;
  }
  auto heaps = pg::read_heaps(session, step.table.oid);
  // Rows of a partition that was attached meanwhile are new ones.
  std::erase_if(heaps, [&](const pg::HeapFacts& heap) { return !step.heap_of(identity_of(heap)); });
  return Search{block_ranges(heaps, lanes, ledger::RangeWalk::kSweep), "blocks again"};
}

}  // namespace

std::string rows_left_sql(const pg::Table& table, const BackfillStep& step, const walk::Keyset& keyset) {
  return keyset.slices_of(steps::rows_left(table, step), kRowsAlone + 1);
}

Completeness look_for_rows_left(pg::Session& session, const PreparedBackfill& step, int lanes,
                                int sweeps) try {
  const auto counts = ledger::range_counts(session, step.step_id);
  if (counts.left > 0) return {Found::kGoOn, {}};  // cut since the caller saw none left
  if (counts.blocks == 0 || counts.keys > 0) return {Found::kNothing, {}};  // a key's walk proves by itself
  const auto search = search_for_rows_left(session, step, lanes, sweeps);
  if (!search) return {Found::kNothing, {}};
  if (!step.keyset && sweeps >= kSweepsMax) return {Found::kNewOnes, {}};
  base::failpoint("blocks_final_pass");
  if (!ledger::extend(session, step.step_id, counts.blocks, search->ranges)) return {Found::kGoOn, {}};
  return {Found::kRows, search->how};
} catch (const pg::Failure& f) {
  // Tried again at once, a look that was cancelled would outlast whoever wants to stop.
  if (f.sqlstate() != kCancelled) throw;
  return {Found::kGoOn, {}};
}

}  // namespace pgsluice::engine
