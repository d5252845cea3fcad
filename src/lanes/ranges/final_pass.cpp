#include "lanes/ranges/final_pass.hpp"

#include "base/failpoint.hpp"
#include "ledger/range/split.hpp"
#include "pg/catalog/heap.hpp"
#include "pgsluice/error.hpp"
#include "table/block_ranges.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {
namespace {

// A sweep finds what moved during the one before: far less each time. What is still as much after two is not
// what moved but what the application adds; then the key bounds the work. Without a key more sweeps must do.
constexpr int kSweepsBeforeKey = 2;
constexpr int kSweepsMax = 5;

// Somebody waits for the table again and again, or ends our transactions: another look would fare no better.
constexpr int kGivenUpMost = 10;

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

/// REQUIRES: rows are left, or nobody knows.
Search search_for(pg::Session& session, const PreparedBackfill& step, const RowsLeft& left, int lanes,
                  Looks before) {
  if (step.keyset) {
    if (left.is_known && left.rows <= RowsLeft::kAloneMost)
      return {left.alone, "its rows that are left, by their keys"};
    if (!left.is_known || before.found >= kSweepsBeforeKey) return along_the_key(session, step, lanes);
  }
  auto heaps = pg::read_heaps(session, step.table.oid);
  // Rows of a partition that was attached meanwhile are new ones.
  std::erase_if(heaps, [&](const pg::HeapFacts& heap) { return !step.heap_of(identity_of(heap)); });
  return {block_ranges(heaps, lanes, ledger::RangeWalk::kSweep), "blocks again"};
}

/// `known`: ranges of blocks that the ledger had when it was asked.
Completeness cut_for(pg::Session& session, const PreparedBackfill& step, std::int64_t known,
                     const RowsLeft& left, int lanes, Looks before) {
  const auto search = search_for(session, step, left, lanes, before);
  if (!step.keyset && before.found >= kSweepsMax) return {Found::kNewOnes, {}, {}};
  base::failpoint("blocks_final_pass");
  if (!ledger::extend(session, step.step_id, known, search.ranges)) return {Found::kGoOn, {}, {}};
  const auto table = step.table.sql();
  const auto swallowers = step.swallowers.in_words();
  const auto others = swallowers.empty() ? "" : ", or " + swallowers + " left them as they were";
  return {Found::kRows, search.how,
          left.is_known ? "rows of table " + table + " moved behind the walk" + others
                        : "no look for rows left behind in table " + table + " gets through"};
}

/// Without a key nothing else can tell.
[[noreturn]] void fail(const PreparedBackfill& step, const RowsLeft& left) {
  throw Error(ExitCode::kWorkLeft,
              "the look for rows left behind in table " + step.table.sql() + " was given up " +
                  std::to_string(kGivenUpMost) + " times, at last because " + left.given_up,
              "run again when nobody waits for the table: the job goes on with the look");
}

}  // namespace

boost::asio::awaitable<Completeness> completeness(pg::Connection& connection, const PreparedBackfill& step,
                                                  Looks before, LookSurroundings at) {
  std::function<ledger::RangeCounts(pg::Session&)> count = [id = step.step_id](pg::Session& s) {
    return ledger::range_counts(s, id);
  };
  const auto counts = co_await keep_trying<ledger::RangeCounts>(connection, count, at.journal, at.stop);
  if (counts.left > 0) co_return Completeness{Found::kGoOn, {}, {}};
  // A key's walk proves by itself.
  if (counts.blocks == 0 || counts.keys > 0) co_return Completeness{Found::kNothing, {}, {}};
  const auto left = co_await look_for_rows_left(connection, step, at);
  if (left.is_known && left.rows == 0) co_return Completeness{Found::kNothing, {}, {}};
  if (!left.is_known) {
    if (left.given_up.empty()) co_return Completeness{Found::kGoOn, {}, {}};
    const bool is_last = before.given_up + 1 >= kGivenUpMost;
    at.journal.warn("the look for rows left behind in table " + step.table.sql() + " is given up because " +
                    left.given_up + (is_last ? "" : "; it begins anew"));
    if (!is_last) co_return Completeness{Found::kGivenUp, {}, {}};
    if (!step.keyset) fail(step, left);
  }
  std::function<Completeness(pg::Session&)> cut = [&step, &left, known = counts.blocks, before,
                                                   lanes = at.tunables.lanes](pg::Session& s) {
    return cut_for(s, step, known, left, lanes, before);
  };
  co_return co_await keep_trying<Completeness>(connection, cut, at.journal, at.stop);
}

}  // namespace pgsluice::engine
