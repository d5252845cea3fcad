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

#include "lanes/fill.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/range/split.hpp"
#include "pg/connection.hpp"
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

/// Gives ranges to the lanes of one run: leases what is free, and when nothing is, splits the largest range
/// in work; of several fills, one of that on which the fewest of our lanes work. Confined to the io thread;
/// one lane is served at a time, so that none takes what another is just being given.
class LeaseDesk {
 public:
  /// Looks whether a fill on which none of our lanes works is over, and ends it. On that lane's connection.
  /// False: nothing of it is left to ask for.
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
  /// what is left, or stop is requested. Waits while our own lanes or an orphan backend hold it.
  boost::asio::awaitable<std::optional<Leased>> next(pg::Connection& connection, int lane);

  /// The same range again, after a reconnect, a fence or a doubt. nullopt: it is another's now, or done.
  boost::asio::awaitable<std::optional<ledger::Range>> again(pg::Connection& connection, Fill& fill,
                                                             ledger::Token token);

  /// The lane has no more business with the range; `is_done` tells whether the ledger has to be told.
  boost::asio::awaitable<void> give_back(pg::Connection& connection, Fill& fill, ledger::Token token,
                                         bool is_done);

  /// The range is left for later, as somebody has locked what is in it: it stays ours, and is given to a lane
  /// again once nothing else is to be leased, and some time after the last attempt.
  void put_off(Fill& fill, ledger::Token token, int times);
  /// Makes the rows up to `position` a range of their own that is put off, and moves the range's position
  /// there. False: the range is fenced.
  boost::asio::awaitable<bool> set_apart(pg::Connection& connection, Fill& fill, const ledger::Range& range,
                                         const pg::Key& position, const ledger::NewRange& apart);
  /// Whoever locks more rows than that has all of them waited for where they are.
  static constexpr std::size_t kPutOffMost = 64;
  bool may_put_off() const { return put_off_.size() < kPutOffMost; }

 private:
  /// While one lane is served.
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
  /// No range of the fill is left: others have ended those that wait.
  void forget_put_off(Fill& fill);
  /// One that is due, leased anew; nullopt: none is.
  boost::asio::awaitable<std::optional<Leased>> take_put_off(pg::Connection& connection);

  /// What a lane's thread has to know of a fill.
  struct Offer {
    const PreparedBackfill* step = nullptr;
    std::set<std::int64_t> in_use;
    std::set<std::int64_t> put_off;  // of these
    std::int64_t rows_to_split = 0;
    bool is_to_be_split = true;
  };
  struct Answer {
    std::size_t offer = 0;  // that the range is of
    std::optional<ledger::Range> range;
    std::optional<event::Split> split;
    std::vector<ledger::Remaining> left;                // of each offer, if none had a free range
    std::map<std::size_t, std::int64_t> rows_expected;  // of offers, by now
    std::vector<std::size_t> unsplit;                   // offers of which no range is worth a split
    std::chrono::steady_clock::duration measured_for{};
  };
  static Answer ask(pg::Session& session, const std::string& run_id, const std::vector<Offer>& offers);
  Offer offer_of(const Fill& fill) const;
  /// What the ledger expects by now; what was not worth a split is not measured again at once.
  static void learn(const Answer& answer, const std::vector<Fill*>& fills);
  static bool lease(pg::Session& session, const std::string& run_id, const Offer& offer, Answer& answer);

  /// Of those that are not ended, nor looked at for rows left behind.
  std::vector<Fill*> by_fewest_lanes() const;
  /// Ranges may come of it.
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
