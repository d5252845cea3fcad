#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/pace/gate.hpp"
#include "pg/connection.hpp"
#include "telling/journal.hpp"
#include "walk/size/sizer.hpp"

namespace pgsluice::engine {

/// What the looks of a run have come to.
struct Looks {
  int found = 0;     // rows, for which ranges were cut
  int given_up = 0;  // for want of a transaction that lasts
};

/// What a look for rows left behind came to.
struct RowsLeft {
  /// Each is changed, and committed, by itself, which takes some 3 ms; more are found by reading blocks.
  static constexpr std::int64_t kAloneMost = 500;

  bool is_known = false;                // false: it was given up
  std::string given_up;                 // why, in words; empty: for a pause or a stop
  std::int64_t rows = 0;                // at least, if there are more than kAloneMost or there is no key
  std::vector<ledger::NewRange> alone;  // they by their keys
};

/// Reads a whole table for rows that still match, block after block in one transaction with one snapshot:
/// a row that moves meanwhile is seen where it was. Each member but is_over() is one hop. Lives from
/// begin() until it is thrown away; whoever gives it up rolls back.
class Look {
 public:
  /// `step` outlives it.
  explicit Look(const PreparedBackfill& step);

  /// Takes ACCESS SHARE on the table and all of its partitions, and the snapshot. Throws Failure.
  void begin(pg::Session& session);

  /// Reads some more blocks, as many as take about `target`. Throws Failure.
  void read(pg::Session& session, std::chrono::milliseconds target);

  /// Nothing is left to read, or more is left than anybody wants to know.
  bool is_over() const;
  /// The session was lost, or somebody waits for our lock: it cannot go on.
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
  walk::Sizer pages_;  // of the next piece: it counts blocks, not rows
  std::chrono::milliseconds last_{0};
  std::chrono::steady_clock::time_point asked_;  // whether anybody waits
  bool is_broken_ = false;
  bool is_awaited_ = false;
  RowsLeft left_;
};

/// What a look needs of its run; confined to the io thread.
struct LookSurroundings {
  const Tunables& tunables;  // of now
  Gate& gate;
  Journal& journal;
  const Stop& stop;
};

/// Looks at the pace of the gate. A hold slows it and does not end it, for it would have to begin anew and
/// takes nothing but time; a pause, a stop and whoever waits for the table do. Throws Error, Failure.
boost::asio::awaitable<RowsLeft> look_for_rows_left(pg::Connection& connection, const PreparedBackfill& step,
                                                    LookSurroundings at);

/// What it sends, for `plan`: once; of each piece of a heap, between blocks $1 and $2; and of a piece that
/// holds some, where there is a key.
std::string begin_look_sql(const pg::Table& table);
std::string any_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap);
std::string keys_left_sql(const pg::Table& table, const BackfillStep& step, const pg::HeapFacts& heap,
                          const walk::Keyset& keyset);

}  // namespace pgsluice::engine
