#include "lanes/lease/held_ranges.hpp"

#include <algorithm>

#include "ledger/range/split.hpp"
#include "ledger/runs.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{200};  // how often ranges held by other runs are looked at
// A backend that outlived its run holds the range's row: it will soon be done with its statement.
constexpr std::chrono::milliseconds kOrphanLook{50};
// Another run's last batches are over in a moment; if we exited at once, two runs together would both end
// with work left. Longer than a heartbeat stays fresh: a run that died as we began does not count as live.
constexpr std::chrono::seconds kSettle{ledger::kFreshSeconds + 2};

}  // namespace

HeldRanges::HeldRanges(Of of) : of_(std::move(of)) {}

asio::awaitable<ledger::Remaining> HeldRanges::remaining(std::vector<std::int64_t> step_ids) {
  std::function<ledger::Remaining(pg::Session&)> look = [=, run_id = of_.run_id](pg::Session& s) {
    ledger::Remaining all;
    for (const auto step_id : step_ids) {
      const auto left = ledger::remaining(s, step_id, run_id);
      all.ranges += left.ranges;
      all.held_by_others += left.held_by_others;
      all.held_by_living += left.held_by_living;
    }
    return all;
  };
  co_return co_await keep_trying<ledger::Remaining>(of_.connection, look, of_.journal, of_.stop);
}

asio::awaitable<bool> HeldRanges::wait_for_others(std::vector<std::int64_t> step_ids, std::string step,
                                                  SteadyClock::time_point since) {
  const auto patience = std::max<std::chrono::seconds>(of_.patience, kSettle);
  while (!of_.stop.is_requested()) {
    const auto left = co_await remaining(step_ids);
    left_ = static_cast<int>(left.ranges);
    if (left.ranges == 0) co_return true;
    if (left.held_by_others < left.ranges) co_return false;
    // A run that was killed looks live until its lease ends: then its ranges are ours.
    if (left.held_by_living == left.ranges && SteadyClock::now() - since > patience) {
      throw Error(ExitCode::kRangesHeld,
                  "other live runs hold every range that is left of step \"" + step + "\"",
                  "wait for them (pgsluice status " + of_.job + "), or run again with --wait");
    }
    co_await sleep_unless_stopped(kLook, of_.stop);
  }
  co_return false;
}

asio::awaitable<std::optional<ledger::Range>> HeldRanges::lease_single(pg::Connection& connection,
                                                                       std::int64_t step_id,
                                                                       std::string step) {
  std::function<std::optional<ledger::Range>(pg::Session&)> lease = [=, run_id = of_.run_id](pg::Session& s) {
    ledger::cut(s, step_id, 0, {ledger::NewRange{}});
    return ledger::lease_next(s, step_id, run_id, {});
  };
  const auto since = SteadyClock::now();
  while (!of_.stop.is_requested()) {
    auto range = co_await keep_trying<std::optional<ledger::Range>>(connection, lease, of_.journal, of_.stop);
    if (range) co_return range;
    std::vector<std::int64_t> alone{step_id};
    std::string name = step;
    if (co_await wait_for_others(std::move(alone), std::move(name), since)) co_return std::nullopt;
    co_await sleep_unless_stopped(kOrphanLook, of_.stop);
  }
  co_return std::nullopt;
}

}  // namespace pgsluice::engine
