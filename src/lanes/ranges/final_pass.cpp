#include "lanes/ranges/final_pass.hpp"

#include "base/failpoint.hpp"
#include "ledger/range/split.hpp"
#include "pg/catalog/heap.hpp"
#include "pgsluice/error.hpp"
#include "table/block_ranges.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {
namespace {

// A sweep finds what moved during the previous one: far less each time. If there is still as much after two,
// it is not what moved but what the application adds; then the key bounds the work. Without a key, more
// sweeps have to suffice.
constexpr int kSweepsBeforeKey = 2;
constexpr int kSweepsMax = 5;

// Another session keeps waiting for the table, or ends our transactions: another check would fare no better.
constexpr int kGivenUpMost = 10;

/// How to find the rows that are left.
struct Search {
  std::vector<ledger::NewRange> ranges;
  std::string how;
};

Search along_the_key(pg::Session& session, const PreparedBackfill& step, int lanes) {
  Search search{key_ranges(session, step, lanes), "all rows along the key"};
  for (auto& range : search.ranges) range.walk = ledger::RangeWalk::kFinal;
  return search;
}

/// REQUIRES: rows are left, or it is not known.
Search search_for(pg::Session& session, const PreparedBackfill& step, const RowsLeft& left, int lanes,
                  Looks before) {
  if (step.keyset) {
    if (left.is_known && left.rows <= RowsLeft::kAloneMost)
      return {left.alone, "its remaining rows, by their keys"};
    if (!left.is_known || before.found >= kSweepsBeforeKey) return along_the_key(session, step, lanes);
  }
  auto heaps = pg::read_heaps(session, step.table.oid);
  // Rows of a partition that has been attached since then are new ones.
  std::erase_if(heaps, [&](const pg::HeapFacts& heap) { return !step.heap_of(identity_of(heap)); });
  return {block_ranges(heaps, lanes, ledger::RangeWalk::kSweep), "blocks again"};
}

/// `known`: ranges of blocks that the ledger had when asked.
Completeness cut_for(pg::Session& session, const PreparedBackfill& step, std::int64_t known,
                     const RowsLeft& left, int lanes, Looks before) {
  const auto search = search_for(session, step, left, lanes, before);
  if (!step.keyset && before.found >= kSweepsMax) return {Found::kNewOnes, {}, {}};
  base::failpoint("blocks_final_pass");
  if (!ledger::extend(session, step.step_id, known, search.ranges)) return {Found::kGoOn, {}, {}};
  const auto table = step.table.sql();
  const auto swallowers = step.swallowers.in_words();
  const auto others = swallowers.empty() ? "" : ", or " + swallowers + " left them unchanged";
  return {Found::kRows, search.how,
          left.is_known ? "rows of table " + table + " moved behind the walk" + others
                        : "no check for rows left behind in table " + table + " could finish"};
}

/// Without a key there is no other way to know.
[[noreturn]] void fail(const PreparedBackfill& step, const RowsLeft& left) {
  throw Error(ExitCode::kWorkLeft,
              "the check for rows left behind in table " + step.table.sql() + " was given up " +
                  std::to_string(kGivenUpMost) + " times, most recently because " + left.given_up,
              "run again when no session waits for a lock on the table: the job continues with this check");
}

}  // namespace

boost::asio::awaitable<Completeness> completeness(pg::Connection& connection, const PreparedBackfill& step,
                                                  Looks before, LookSurroundings at) {
  std::function<ledger::RangeCounts(pg::Session&)> count = [id = step.step_id](pg::Session& s) {
    return ledger::range_counts(s, id);
  };
  const auto counts = co_await keep_trying<ledger::RangeCounts>(connection, count, at.journal, at.stop);
  if (counts.left > 0) co_return Completeness{Found::kGoOn, {}, {}};
  // A walk along a key is its own proof.
  if (counts.blocks == 0 || counts.keys > 0) co_return Completeness{Found::kNothing, {}, {}};
  const auto left = co_await look_for_rows_left(connection, step, at);
  if (left.is_known && left.rows == 0) co_return Completeness{Found::kNothing, {}, {}};
  if (!left.is_known) {
    if (left.given_up.empty()) co_return Completeness{Found::kGoOn, {}, {}};
    const bool is_last = before.given_up + 1 >= kGivenUpMost;
    at.journal.warn("the check for rows left behind in table " + step.table.sql() + " was given up because " +
                    left.given_up + (is_last ? "" : "; it starts again"));
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
