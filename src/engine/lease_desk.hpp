#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "engine/backfill_step.hpp"
#include "engine/journal.hpp"
#include "engine/stop.hpp"
#include "engine/tally.hpp"
#include "ledger/lease.hpp"
#include "pg/connection.hpp"
#include "walk/sizer.hpp"

namespace pgsluice::engine {

/// Gives ranges to the lanes of one run: leases what is free, and when nothing is, splits the largest range
/// in work. Confined to the io thread; one lane is served at a time, so that none takes what another is just
/// being given.
class LeaseDesk {
 public:
  LeaseDesk(const PreparedBackfill& step, std::string run_id, const walk::Sizer& sizer, Journal& journal,
            Tally& tally, const Stop& stop)
      : step_(step),
        run_id_(std::move(run_id)),
        sizer_(sizer),
        journal_(journal),
        tally_(tally),
        stop_(stop) {}

  /// The next range for a lane, with its upper end fixed. nullopt: nothing is left, or other live runs hold
  /// what is left, or stop is requested. Waits while our own lanes or an orphan backend hold it.
  boost::asio::awaitable<std::optional<ledger::Range>> next(pg::Connection& connection, int lane);

  /// The same range again, after a reconnect, a fence or a doubt. nullopt: it is another's now, or done.
  boost::asio::awaitable<std::optional<ledger::Range>> again(pg::Connection& connection, ledger::Token token);

  /// The lane has no more business with the range; `is_done` tells whether the ledger has to be told.
  boost::asio::awaitable<void> give_back(pg::Connection& connection, ledger::Token token, bool is_done);

 private:
  struct Answer {
    std::optional<ledger::Range> range;
    std::optional<event::Split> split;
    ledger::Remaining remaining;
  };
  static Answer ask(pg::Session& session, const PreparedBackfill& step, const std::string& run_id,
                    const std::set<std::int64_t>& in_use, std::int64_t rows_to_split);

  const PreparedBackfill& step_;
  std::string run_id_;
  const walk::Sizer& sizer_;
  Journal& journal_;
  Tally& tally_;
  const Stop& stop_;
  std::set<std::int64_t> in_use_;  // ranges that lanes of this run work on
  bool is_serving_ = false;
};

}  // namespace pgsluice::engine
