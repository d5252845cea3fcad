#include "lanes/lease/lease_desk.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "lanes/batch/at_rows.hpp"
#include "lanes/lease/range_measure.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/connection/transaction.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {
namespace {

// A split costs a sample and a fenced batch, so it must save several batches.
constexpr std::int64_t kBatchesToSplit = 4;
constexpr std::chrono::milliseconds kAskAgain{
    50};  // while an orphan backend or our own lanes hold what is left
// The lane being served signals when it is done: this only bounds the wait.
constexpr std::chrono::milliseconds kServedSoon{1'000};
// How often a lane without work asks whether a range in progress can be split: shorter than the batches left
// in a range that cannot be, and far longer than the sample takes.
constexpr std::chrono::milliseconds kMeasureAgain{500};
// If measuring is slow, it takes at most a tenth of that lane's time.
constexpr int kMeasureAgainTimes = 10;
// Measurements along a key for one answer: the other lanes wait for it.
constexpr int kMeasuresMost = 2;
// Wait before a range that was put off is tried again: doubled each time. An attempt waits at most 150 ms for
// its lock; with five seconds in between that costs a lane little, and a released lock is noticed soon.
constexpr std::chrono::milliseconds kPutOffFirst{250};
constexpr std::chrono::milliseconds kPutOffMax{5'000};
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{10'000}, true};

/// Fixes the end of a tail range at the table's highest key. False: the range is done or lost, lease another.
bool fix_tail(pg::Session& session, const PreparedBackfill& step, ledger::Range& range) {
  if (range.upper) return true;
  const auto& keyset = *step.keyset;  // only ranges along a key have an open end
  // In a transaction whose settings make the key's text mean the same as in every batch.
  const auto rows = at_rows(session, step, [&](pg::Session& there) {
    return pg::in_transaction(there, kSampleLimits,
                              [&] { return there.exec(keyset.highest(), pg::Params{}); });
  });
  if (rows.empty()) {
    ledger::mark_done(session, range.token);
    return false;
  }
  range.upper = keyset.read_key(rows, 0);
  return ledger::fix_upper(session, range.token, *range.upper);
}

std::optional<event::Split> split(pg::Session& session, const PreparedBackfill& step,
                                  const ledger::Candidate& candidate, const pg::Key& middle) {
  const ledger::IsBefore is_before = [&](const std::string& position, int first) {
    return ledger::is_by_blocks(candidate.walk) ? walk::group_ends_by(position, first)
                                                : step.keyset->is_before(position, first);
  };
  const auto range_id = ledger::split(session, step.step_id, candidate, middle, is_before);
  base::failpoint("after_split");
  if (!range_id) return std::nullopt;
  return event::Split{candidate.range_id, *range_id, pg::display(middle)};
}

std::optional<event::Split> split_largest(pg::Session& session, const PreparedBackfill& step,
                                          const std::set<std::int64_t>& put_off, std::int64_t rows_to_split,
                                          int& measures_left) {
  for (auto& candidate : ledger::largest_remaining(session, step.step_id, put_off)) {
    const bool is_by_blocks = ledger::is_by_blocks(candidate.walk);  // counted, not estimated
    if (!is_by_blocks && !candidate.is_longer_than_expected && candidate.rows_left < rows_to_split) continue;
    if (!is_by_blocks && measures_left-- <= 0) break;
    const auto found = measure(session, step, candidate, rows_to_split);
    if (session.must_discard()) measures_left = 0;  // it took too long, and so would the others of that table
    if (!found.middle) continue;
    candidate.rows_left = found.rows_left;
    if (auto done = split(session, step, candidate, *found.middle)) return done;
  }
  return std::nullopt;
}

}  // namespace

bool LeaseDesk::lease(pg::Session& session, const std::string& run_id, const Offer& offer, Answer& answer) {
  while (auto range = ledger::lease_next(session, offer.step->step_id, run_id, offer.in_use)) {
    base::failpoint("after_lease");
    if (!fix_tail(session, *offer.step, *range)) continue;
    answer.range = std::move(range);
    return true;
  }
  return false;
}

LeaseDesk::Answer LeaseDesk::ask(pg::Session& session, const std::string& run_id,
                                 const std::vector<Offer>& offers) {
  Answer answer;
  for (answer.offer = 0; answer.offer < offers.size(); ++answer.offer) {
    const auto& offer = offers[answer.offer];
    answer.rows_expected[answer.offer] = ledger::rows_expected(session, offer.step->step_id);
    if (lease(session, run_id, offer, answer)) return answer;
    answer.left.push_back(ledger::remaining(session, offer.step->step_id, run_id));
  }
  const auto began = std::chrono::steady_clock::now();
  int measures_left = kMeasuresMost;
  for (answer.offer = 0; answer.offer < offers.size() && !answer.split && measures_left > 0; ++answer.offer) {
    const auto& offer = offers[answer.offer];
    if (answer.left[answer.offer].ranges == 0 || !offer.is_to_be_split) continue;
    answer.split = split_largest(session, *offer.step, offer.put_off, offer.rows_to_split, measures_left);
    if (answer.split && lease(session, run_id, offer, answer)) return answer;
    if (!answer.split) answer.unsplit.push_back(answer.offer);
  }
  answer.measured_for = std::chrono::steady_clock::now() - began;
  return answer;
}

LeaseDesk::Offer LeaseDesk::offer_of(const Fill& fill) const {
  Offer offer{&fill.prepared(),
              fill.in_use,
              {},
              kBatchesToSplit * fill.sizer().rows(),
              fill.prepared().may_be_split() && std::chrono::steady_clock::now() >= fill.measure_again};
  for (const auto& waiting : put_off_) {
    if (waiting.fill == &fill) offer.put_off.insert(waiting.token.range_id);
  }
  return offer;
}

void LeaseDesk::learn(const Answer& answer, const std::vector<Fill*>& fills) {
  for (const auto& [offer, rows] : answer.rows_expected) fills[offer]->expect(rows);
  const auto later =
      std::chrono::steady_clock::now() +
      std::max<std::chrono::steady_clock::duration>(kMeasureAgain, kMeasureAgainTimes * answer.measured_for);
  for (const auto offer : answer.unsplit) fills[offer]->measure_again = later;
}

std::vector<Fill*> LeaseDesk::by_fewest_lanes() const {
  std::vector<Fill*> fills;
  for (const auto& fill : fills_) {
    if (!fill->is_ended && !fill->is_looked_at) fills.push_back(fill.get());
  }
  std::stable_sort(fills.begin(), fills.end(),
                   [](const Fill* a, const Fill* b) { return a->in_use.size() < b->in_use.size(); });
  return fills;
}

bool LeaseDesk::is_any_looked_at() const {
  return std::any_of(fills_.begin(), fills_.end(), [](const auto& fill) { return fill->is_looked_at; });
}

boost::asio::awaitable<std::optional<Leased>> LeaseDesk::next(pg::Connection& connection, int lane) {
  while (!stop_.is_requested()) {
    while (is_serving_) co_await served_.wait(kServedSoon);
    const auto fills = by_fewest_lanes();
    if (fills.empty()) {
      if (!is_any_looked_at()) break;
      co_await sleep_unless_stopped(kAskAgain, stop_);
      continue;
    }
    Answer answer;
    {
      const Serving serving(*this);
      std::vector<Offer> offers;
      for (const auto* fill : fills) offers.push_back(offer_of(*fill));
      std::function<Answer(pg::Session&)> ask_once = [run_id = run_id_, offers](pg::Session& s) {
        return ask(s, run_id, offers);
      };
      answer = co_await keep_trying<Answer>(connection, ask_once, journal_, stop_);
      if (answer.range) fills[answer.offer]->in_use.insert(answer.range->token.range_id);
      learn(answer, fills);
    }
    if (answer.split) {
      ++tally_.splits;
      journal_.write(*answer.split);
    }
    if (answer.range) {
      const auto& token = answer.range->token;
      journal_.write(event::Lease{token.range_id, lane, token.epoch, answer.range->is_taken_over});
      co_return Leased{fills[answer.offer], std::move(*answer.range)};
    }
    if (auto taken = co_await take_put_off(connection)) co_return taken;
    bool is_more_to_come = std::any_of(answer.left.begin(), answer.left.end(),
                                       [](const auto& left) { return left.held_by_others < left.ranges; });
    for (std::size_t i = 0; i < fills.size(); ++i) {
      if (answer.left[i].ranges > 0) continue;
      forget_put_off(*fills[i]);
      const bool is_left = co_await end_if_over_(connection, *fills[i]);
      is_more_to_come = is_more_to_come || is_left;
    }
    if (!is_more_to_come && !is_any_looked_at()) co_return std::nullopt;
    co_await sleep_unless_stopped(kAskAgain, stop_);
  }
  co_return std::nullopt;
}

void LeaseDesk::forget_put_off(Fill& fill) {
  for (const auto& gone : put_off_) {
    if (gone.fill == &fill) fill.in_use.erase(gone.token.range_id);
  }
  std::erase_if(put_off_, [&](const PutOff& gone) { return gone.fill == &fill; });
}

void LeaseDesk::put_off(Fill& fill, ledger::Token token, int times) {
  const auto wait = std::min(kPutOffMax, kPutOffFirst * (1 << std::min(times - 1, 8)));
  put_off_.push_back({&fill, std::move(token), times, std::chrono::steady_clock::now() + wait});
}

boost::asio::awaitable<bool> LeaseDesk::set_apart(pg::Connection& connection, Fill& fill,
                                                  const ledger::Range& range, const pg::Key& position,
                                                  const ledger::NewRange& apart) {
  std::function<std::optional<ledger::Token>(pg::Session&)> cut = [step_id = fill.prepared().step_id, range,
                                                                   position, apart](pg::Session& s) {
    return ledger::set_apart(s, step_id, range, position, apart);
  };
  while (is_serving_) co_await served_.wait(kServedSoon);
  const Serving serving(*this);
  const auto token = co_await keep_trying<std::optional<ledger::Token>>(connection, cut, journal_, stop_);
  if (!token) co_return false;
  fill.in_use.insert(token->range_id);
  put_off(fill, *token, 1);
  co_return true;
}

boost::asio::awaitable<std::optional<Leased>> LeaseDesk::take_put_off(pg::Connection& connection) {
  const auto due = std::min_element(put_off_.begin(), put_off_.end(),
                                    [](const PutOff& a, const PutOff& b) { return a.due < b.due; });
  if (due == put_off_.end() || due->due > std::chrono::steady_clock::now()) co_return std::nullopt;
  const PutOff taken = *due;
  put_off_.erase(due);
  auto range = co_await again(connection, *taken.fill, taken.token);
  if (!range) co_return std::nullopt;
  co_return Leased{taken.fill, std::move(*range), taken.times};
}

boost::asio::awaitable<std::optional<ledger::Range>> LeaseDesk::again(pg::Connection& connection, Fill& fill,
                                                                      ledger::Token token) {
  std::function<std::optional<ledger::Range>(pg::Session&)> lease = [token](pg::Session& s) {
    return ledger::lease_again(s, token);
  };
  auto range = co_await keep_trying<std::optional<ledger::Range>>(connection, lease, journal_, stop_);
  if (!range) co_await leave(connection, fill, token.range_id);
  co_return range;
}

boost::asio::awaitable<void> LeaseDesk::give_back(pg::Connection& connection, Fill& fill, ledger::Token token,
                                                  bool is_done) {
  if (!is_done) {
    std::function<bool(pg::Session&)> release = [token](pg::Session& s) {
      ledger::release(s, token);
      return true;
    };
    co_await keep_trying<bool>(connection, release, journal_, stop_);
  }
  co_await leave(connection, fill, token.range_id);
}

boost::asio::awaitable<void> LeaseDesk::leave(pg::Connection& connection, Fill& fill, std::int64_t range_id) {
  fill.in_use.erase(range_id);
  if (fill.in_use.empty() && !stop_.is_requested()) co_await end_if_over_(connection, fill);
}

}  // namespace pgsluice::engine
