#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lanes/fill/fill.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "pg/connection/connection.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"
#include "telling/tally.hpp"

namespace pgsluice::engine {

/// A range, and the fill that it belongs to.
struct Leased {
  Fill* fill = nullptr;
  ledger::Range range;
  int times_put_off = 0;
};

/// Gives ranges to the lanes of one run: leases a free one, or if there is none, splits the largest range in
/// progress. With several fills it serves the one with the fewest of our lanes. Confined to the io thread;
/// one lane is served at a time, so that two never get the same range.
class LeaseDesk {
 public:
  /// Checks whether a fill that none of our lanes works on is over, and ends it. Uses that lane's connection.
  /// False: there is nothing left of it to ask for.
  using EndIfOver = std::function<boost::asio::awaitable<bool>(pg::Connection&, Fill&)>;

  LeaseDesk(Fills& fills, std::string run_id, Journal& journal, Tally& tally, const Stop& stop,
            EndIfOver end_if_over)
      : fills_(fills),
        run_id_(std::move(run_id)),
        journal_(journal),
        tally_(tally),
        stop_(stop),
        end_if_over_(std::move(end_if_over)) {}

  /// The next range for a lane, with its upper end fixed. nullopt: nothing is left, or other live runs hold
  /// what is left, or stop is requested. Waits while our own lanes or an orphan backend hold what is left.
  boost::asio::awaitable<std::optional<Leased>> next(pg::Connection& connection, int lane);

  /// Leases the same range again, after a reconnect, a fenced batch or one in doubt. nullopt: it belongs to
  /// another run now, or is done.
  boost::asio::awaitable<std::optional<ledger::Range>> again(pg::Connection& connection, Fill& fill,
                                                             ledger::Token token);

  /// The lane is finished with the range; unless `is_done`, this is written to the ledger.
  boost::asio::awaitable<void> give_back(pg::Connection& connection, Fill& fill, ledger::Token token,
                                         bool is_done);

  /// Leaves the range for later, because its rows are locked by another session: it stays ours, and is given
  /// to a lane again once nothing else can be leased and some time after the last attempt.
  void put_off(Fill& fill, ledger::Token token, int times);
  /// Makes the rows up to `position` a separate range that is put off, and moves the range's position there.
  /// False: the range is fenced.
  boost::asio::awaitable<bool> set_apart(pg::Connection& connection, Fill& fill, const ledger::Range& range,
                                         const pg::Key& position, const ledger::NewRange& apart);
  /// Beyond this many, locked rows are no longer put off: the lanes wait for them in place.
  static constexpr std::size_t kPutOffMost = 64;
  bool may_put_off() const { return put_off_.size() < kPutOffMost; }

 private:
  /// Held while one lane is served.
  struct Serving {
    explicit Serving(LeaseDesk& desk) : desk_(desk) { desk_.is_serving_ = true; }
    ~Serving() {
      desk_.is_serving_ = false;
      desk_.served_.notify();
    }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

   private:
    LeaseDesk& desk_;
  };
  struct PutOff {
    Fill* fill = nullptr;
    ledger::Token token;
    int times = 0;
    std::chrono::steady_clock::time_point due;
  };
  /// No range of the fill is left: others have ended the ones put off.
  void forget_put_off(Fill& fill);
  /// One that is due, leased again; nullopt: none is.
  boost::asio::awaitable<std::optional<Leased>> take_put_off(pg::Connection& connection);

  /// What a lane's thread needs to know about a fill.
  struct Offer {
    const PreparedBackfill* step = nullptr;
    std::set<std::int64_t> in_use;
    std::set<std::int64_t> put_off;  // of these
    std::int64_t rows_to_split = 0;
    bool is_to_be_split = true;
  };
  struct Answer {
    std::size_t offer = 0;  // that the range belongs to
    std::optional<ledger::Range> range;
    std::optional<event::Split> split;
    std::vector<ledger::Remaining> left;                // for each offer, if none had a free range
    std::map<std::size_t, std::int64_t> rows_expected;  // for each offer, as of now
    std::vector<std::size_t> unsplit;                   // offers without a range worth splitting
    std::chrono::steady_clock::duration measured_for{};
  };
  static Answer ask(pg::Session& session, const std::string& run_id, const std::vector<Offer>& offers);
  Offer offer_of(const Fill& fill) const;
  /// Takes over what the ledger expects as of now; fills without a range worth splitting are not measured
  /// again at once.
  static void learn(const Answer& answer, const std::vector<Fill*>& fills);
  static bool lease(pg::Session& session, const std::string& run_id, const Offer& offer, Answer& answer);

  /// Fills that are neither ended nor being checked for rows left behind.
  std::vector<Fill*> by_fewest_lanes() const;
  /// Such a check may lead to new ranges.
  bool is_any_looked_at() const;
  boost::asio::awaitable<void> leave(pg::Connection& connection, Fill& fill, std::int64_t range_id);

  Fills& fills_;
  std::string run_id_;
  Journal& journal_;
  Tally& tally_;
  const Stop& stop_;
  EndIfOver end_if_over_;
  std::vector<PutOff> put_off_;  // each in its fill's in_use
  bool is_serving_ = false;
  Wakeup served_;  // a lane has been served
};

}  // namespace pgsluice::engine
