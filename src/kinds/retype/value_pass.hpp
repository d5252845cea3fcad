#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "kinds/retype/mapping/lost_values.hpp"
#include "lanes/ranges/look.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/connection/connection.hpp"
#include "walk/batch_size/sizer.hpp"

namespace pgsluice::engine {

/// The values of one column that the new type would lose.
struct ValueLosses {
  std::string column;  // `column "price" of table "public"."orders"`
  std::string new_type;
  std::int64_t cut = 0;
  std::int64_t missing = 0;  // no new value at all
  std::vector<std::string> cut_examples;
  std::vector<std::string> missing_examples;
};

/// Reads every value that a retype could lose, before its first write: piece by piece, each in its own
/// transaction, so that no snapshot grows old. The constructor and read() are one hop each. From the first
/// act on the sync trigger refuses values that would be cut; those written between the pass and that act are
/// found only by the proof.
class ValuePass {
 public:
  /// If the retype cannot lose any values, is_over() at once. Throws Failure.
  ValuePass(pg::Session& session, steps::retype::Retype retype);

  /// Reads some more blocks, as many as take about `target`. Throws Failure.
  void read(pg::Session& session, std::chrono::milliseconds target);

  bool is_over() const { return place_ >= pieces_.size(); }
  std::chrono::milliseconds last() const { return last_; }
  std::int64_t pages_read() const { return pages_read_; }
  std::int64_t pages_in_all() const { return pages_in_all_; }
  /// For the columns that lose some.
  std::vector<ValueLosses> losses() const;

 private:
  struct Piece {
    steps::retype::DoubtfulColumn column;
    pg::HeapFacts heap;
    std::size_t loss = 0;  // in losses_
  };
  void count(pg::Session& session, const Piece& piece, const std::string& where);
  void add(const Piece& piece, const pg::Rows& rows);

  steps::retype::Retype retype_;
  std::vector<Piece> pieces_;
  std::size_t place_ = 0;
  std::int64_t block_ = 0;
  bool is_by_blocks_ = true;  // server 14 and newer
  walk::Sizer pages_;
  std::chrono::milliseconds last_{0};
  std::int64_t pages_read_ = 0;
  std::int64_t pages_in_all_ = 0;
  std::vector<ValueLosses> losses_;
};

/// The whole pass in one session that rests half of the time, for `check`. Blocks.
std::vector<ValueLosses> read_values(pg::Session& session, const steps::retype::Retype& retype);

/// The whole pass at the pace of the gate, with a line of progress now and then. Also empty if a stop is
/// requested. Throws Error, Failure.
boost::asio::awaitable<std::vector<ValueLosses>> read_values_paced(pg::Connection& connection,
                                                                   steps::retype::Retype retype,
                                                                   LookSurroundings at);

/// The losses that refuse the retype, each with a hint. Up to `max_quarantined` values without a new one are
/// left for the fill to set aside.
struct LossInWords {
  std::string message;
  std::string hint;
};
std::vector<LossInWords> in_words(const std::vector<ValueLosses>& losses, std::int64_t max_quarantined);

}  // namespace pgsluice::engine
