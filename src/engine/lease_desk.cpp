#include "engine/lease_desk.hpp"

#include "base/failpoint.hpp"
#include "engine/outage.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/split.hpp"
#include "pg/transaction.hpp"

namespace pgsluice::engine {
namespace {

// A split costs a sample and a fenced batch: it must spare several.
constexpr std::int64_t kBatchesToSplit = 4;
constexpr std::chrono::milliseconds kAskAgain{
    50};  // while an orphan backend or our own lanes hold what is left
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{10'000}, true};

/// Fixes the end of a tail range at the table's highest key. False: the range is done or lost, take another.
bool fix_tail(pg::Session& session, const walk::Keyset& keyset, ledger::Range& range) {
  if (range.upper) return true;
  // In a transaction, whose settings make the key's text mean the same to every batch.
  const auto rows = pg::in_transaction(session, kSampleLimits,
                                       [&] { return session.exec(keyset.highest(), pg::Params{}); });
  if (rows.empty()) {
    ledger::mark_done(session, range.token);
    return false;
  }
  range.upper = keyset.read_key(rows, 0);
  return ledger::fix_upper(session, range.token, *range.upper);
}

std::optional<event::Split> split_largest(pg::Session& session, const PreparedBackfill& step,
                                          std::int64_t rows_to_split) {
  const auto candidate = ledger::largest_remaining(session, step.step_id);
  if (!candidate || candidate->rows_left < rows_to_split) return std::nullopt;
  const auto sample =
      step.keyset.sample(candidate->position, candidate->upper, 2, sample_percent(step.table.pages));
  const auto keys =
      pg::in_transaction(session, kSampleLimits, [&] { return session.exec(sample.sql, sample.params); });
  if (keys.empty()) return std::nullopt;
  const auto middle = step.keyset.read_key(keys, 0);
  const ledger::IsBefore is_before = [&](const std::string& position, int first) {
    return step.keyset.is_before(position, first);
  };
  const auto range_id = ledger::split(session, step.step_id, *candidate, middle, is_before);
  base::failpoint("after_split");
  if (!range_id) return std::nullopt;
  return event::Split{candidate->range_id, *range_id, pg::display(middle)};
}

}  // namespace

LeaseDesk::Answer LeaseDesk::ask(pg::Session& session, const PreparedBackfill& step,
                                 const std::string& run_id, const std::set<std::int64_t>& in_use,
                                 std::int64_t rows_to_split) {
  Answer answer;
  for (;;) {
    answer.range = ledger::lease_next(session, step.step_id, run_id, in_use);
    if (answer.range) {
      base::failpoint("after_lease");
      if (fix_tail(session, step.keyset, *answer.range)) return answer;
      continue;
    }
    answer.remaining = ledger::remaining(session, step.step_id, run_id);
    if (answer.remaining.ranges == 0 || answer.split) return answer;
    answer.split = split_largest(session, step, rows_to_split);
    if (!answer.split) return answer;
  }
}

boost::asio::awaitable<std::optional<ledger::Range>> LeaseDesk::next(pg::Connection& connection, int lane) {
  while (!stop_.is_requested()) {
    while (is_serving_) co_await sleep_for(kAskAgain / 10);
    is_serving_ = true;
    struct Served {
      bool& flag;
      ~Served() { flag = false; }
    };
    const auto rows_to_split = kBatchesToSplit * sizer_.rows();
    std::function<Answer(pg::Session&)> ask_once = [step = &step_, run_id = run_id_, in_use = in_use_,
                                                    rows_to_split](pg::Session& s) {
      return ask(s, *step, run_id, in_use, rows_to_split);
    };
    Answer answer;
    {
      const Served served{is_serving_};
      answer = co_await keep_trying<Answer>(connection, ask_once, journal_, stop_);
      if (answer.range) in_use_.insert(answer.range->token.range_id);
    }
    if (answer.split) {
      ++tally_.splits;
      journal_.write(*answer.split);
    }
    if (answer.range) {
      const auto& token = answer.range->token;
      journal_.write(event::Lease{token.range_id, lane, token.epoch, answer.range->is_taken_over});
      co_return answer.range;
    }
    const auto& left = answer.remaining;
    if (left.ranges == 0 || left.ranges == left.held_by_others) co_return std::nullopt;
    co_await sleep_unless_stopped(kAskAgain, stop_);
  }
  co_return std::nullopt;
}

boost::asio::awaitable<std::optional<ledger::Range>> LeaseDesk::again(pg::Connection& connection,
                                                                      ledger::Token token) {
  std::function<std::optional<ledger::Range>(pg::Session&)> lease = [token](pg::Session& s) {
    return ledger::lease_again(s, token);
  };
  auto range = co_await keep_trying<std::optional<ledger::Range>>(connection, lease, journal_, stop_);
  if (!range) in_use_.erase(token.range_id);
  co_return range;
}

boost::asio::awaitable<void> LeaseDesk::give_back(pg::Connection& connection, ledger::Token token,
                                                  bool is_done) {
  if (!is_done) {
    std::function<bool(pg::Session&)> release = [token](pg::Session& s) {
      ledger::release(s, token);
      return true;
    };
    co_await keep_trying<bool>(connection, release, journal_, stop_);
  }
  in_use_.erase(token.range_id);
}

}  // namespace pgsluice::engine
