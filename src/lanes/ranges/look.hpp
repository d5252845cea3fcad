#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/throttle/gate.hpp"
#include "pg/connection/connection.hpp"
#include "telling/journal.hpp"
#include "walk/batch_size/sizer.hpp"

namespace pgsluice::engine {

/// What the checks for rows left behind have come to in this run.
struct Looks {
  int found = 0;     // rows, for which ranges were cut
  int given_up = 0;  // because no transaction could be kept open long enough
};

/// The result of one check for rows left behind.
struct RowsLeft {
  /// Each is changed and committed separately, which takes some 3 ms; more than this are found by reading
  /// blocks.
  static constexpr std::int64_t kAloneMost = 500;

  bool is_known = false;                // false: it was given up
  std::string given_up;                 // why, in words; empty: because of a pause or a stop
  std::int64_t rows = 0;                // at least, if there are more than kAloneMost or there is no key
  std::vector<ledger::NewRange> alone;  // each of them, by its key
};

/// Reads a whole table for rows that still match, block after block in one transaction with one snapshot: a
/// row that moves during that time is seen where it was. Each member but is_over() is one hop. Lives from
/// begin() until it is discarded; a caller that gives it up rolls back.
class Look {
 public:
  /// `step` outlives it.
  explicit Look(const PreparedBackfill& step);

  /// Takes ACCESS SHARE on the table and all of its partitions, and the snapshot. Throws Failure.
  void begin(pg::Session& session);

  /// Reads the next blocks, as many as take about `target`. Throws Failure.
  void read(pg::Session& session, std::chrono::milliseconds target);

  /// Nothing is left to read, or enough rows are found that counting on is pointless.
  bool is_over() const;
  /// The session was lost, or another session waits for our lock: it cannot continue.
  bool is_broken() const { return is_broken_; }
  bool is_awaited() const { return is_awaited_; }
  std::chrono::milliseconds last() const { return last_; }
  const RowsLeft& result() const { return left_; }

 private:
  void read_piece(pg::Session& session, const pg::HeapFacts& heap, const pg::Params& ends);
  bool is_anybody_waiting(pg::Session& session);

  const PreparedBackfill& step_;
  int backend_pid_ = 0;
  std::vector<pg::HeapFacts> heaps_;
  std::size_t heap_ = 0;
  std::int64_t block_ = 0;
  walk::Sizer pages_;  // of the next piece: in blocks, not rows
  std::chrono::milliseconds last_{0};
  std::chrono::steady_clock::time_point asked_;  // when we last asked whether anybody waits
  bool is_broken_ = false;
  bool is_awaited_ = false;
  RowsLeft left_;
};

/// What a check needs from its run; confined to the io thread.
struct LookSurroundings {
  const Tunables& tunables;  // of now
  Gate& gate;
  Journal& journal;
  const Stop& stop;
};

/// Checks at the pace of the gate. A hold slows it but does not end it: it costs only time, and would have to
/// start over. A pause, a stop or a session waiting for the table does end it. Throws Error, Failure.
boost::asio::awaitable<RowsLeft> look_for_rows_left(pg::Connection& connection, const PreparedBackfill& step,
                                                    LookSurroundings at);

/// What it sends, for `plan`: once; for each piece of a heap, between blocks $1 and $2; and, if there is a
/// key, for a piece that has such rows.
std::string begin_look_sql(const pg::Table& table);
std::string any_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap);
std::string keys_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                          const walk::Keyset& keyset);

}  // namespace pgsluice::engine
