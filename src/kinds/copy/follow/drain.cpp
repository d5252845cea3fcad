#include "kinds/copy/follow/drain.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "lanes/batch/batch.hpp"
#include "lanes/batch/source_batch.hpp"
#include "pg/catalog/catalog.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/copy_sql.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr std::int64_t kGrowth = 4;  // when a unique key shows that entries belong together
// A statement that writes rows which belong together: it cannot be made smaller.
constexpr milliseconds kTogetherMost{10'000};
// How long a change that the target refuses is tried again: what it needs there may be on its way.
constexpr std::chrono::seconds kRefusedMost{30};
constexpr milliseconds kRefusedWait{500};
// How long rows are put off without ever coming to the end of the queue: one of them may refer to nothing.
constexpr std::chrono::minutes kPutOffMost{10};
// Statements of one batch that may take long: DELETE, COPY, INSERT.
constexpr int kLongStatements = 3;

/// A cancel of ours or of somebody is nobody's row.
bool is_trouble(const pg::Failure& f) {
  if (f.is_connection_lost()) return false;
  return pg::is_row_fault(f.sqlstate()) || f.cancelled_by() == pg::CancelledBy::kTimeout;
}

}  // namespace

struct Drain::Seen {
  Changes changes;
  std::optional<Trouble> trouble;
  Clock::time_point began;  // everything committed before that is among the changes, if they are all
};

struct Drain::Brought {
  Applied applied;
  std::optional<Trouble> trouble;
  std::chrono::nanoseconds took{0};
};

asio::awaitable<std::shared_ptr<const Drain::Seen>> Drain::read() {
  using Answer = std::shared_ptr<const Seen>;
  std::function<Answer(pg::Session&)> work = [tables = of_.tables, entries = entries_](pg::Session& s) {
    s.give_up_after(kSourceSilence);
    auto seen = std::make_shared<Seen>();
    seen->began = Clock::now();
    try {
      seen->changes = read_changes(s, *tables, entries);
    } catch (const pg::Failure& f) {
      if (!is_trouble(f)) throw;
      seen->trouble = Trouble{f.sqlstate(), f.what()};
    }
    return Answer(std::move(seen));
  };
  co_return co_await keep_trying<Answer>(of_.source, work, of_.step.journal, of_.step.stop);
}

asio::awaitable<std::shared_ptr<const Drain::Brought>> Drain::apply(std::shared_ptr<const Seen> seen) {
  using Answer = std::shared_ptr<const Brought>;
  if (!deadlock_timeout_) {
    std::function<std::int64_t(pg::Session&)> ask = [](pg::Session& s) { return pg::deadlock_timeout_ms(s); };
    const auto timeout =
        co_await keep_trying<std::int64_t>(of_.step.connection, ask, of_.step.journal, of_.step.stop);
    deadlock_timeout_ = milliseconds{timeout};
  }
  const auto& tunables = of_.step.tunables;
  auto limits =
      batch_limits(tunables.batch.target, tunables.throttle.lock_wait, *deadlock_timeout_, kLongStatements);
  limits.is_synchronous = true;
  if (is_together_) limits.statement_timeout = kTogetherMost;
  std::function<Answer(pg::Session&)> work = [tables = of_.tables, seen, limits,
                                              token = token_](pg::Session& s) {
    auto brought = std::make_shared<Brought>();
    const auto began = Clock::now();
    try {
      brought->applied = apply_changes(s, *tables, seen->changes, token, limits);
    } catch (const pg::Failure& f) {
      if (!is_trouble(f)) throw;
      brought->trouble = Trouble{f.sqlstate(), f.what()};
    }
    brought->took = Clock::now() - began;
    return Answer(std::move(brought));
  };
  co_return co_await keep_trying<Answer>(of_.step.connection, work, of_.step.journal, of_.step.stop);
}

asio::awaitable<void> Drain::forget(std::shared_ptr<const Seen> seen,
                                    std::shared_ptr<const Brought> brought) {
  std::function<bool(pg::Session&)> work = [tables = of_.tables, seen, brought](pg::Session& s) {
    s.give_up_after(kSourceSilence);
    acknowledge(s, *tables, seen->changes, brought->applied);
    return true;
  };
  co_await keep_trying<bool>(of_.source, work, of_.step.journal, of_.step.stop);
}

void Drain::require_marks(const Changes& changes) const {
  if (changes.marks == of_.marks) return;
  throw Error(ExitCode::kRefused,
              sources_in_words(*of_.tables) +
                  " is no longer as it was when it began to be followed: it, its queue or its triggers were "
                  "truncated, rewritten, replaced, attached or switched off, so changes may have passed "
                  "unnoticed",
              "pgsluice rollback removes the triggers; then begin anew into an empty table, or with "
              "on_conflict = \"update\"");
}

asio::awaitable<Drain::Look> Drain::look() {
  const auto seen = co_await read();
  if (seen->trouble) {
    Trouble trouble = *seen->trouble;
    co_await give_way(std::move(trouble), seen);
    co_return Look{};
  }
  const auto& changes = seen->changes;
  require_marks(changes);
  if (changes.is_too_large) {
    entries_ = std::max<std::int64_t>(1, changes.entries / 2);
    co_return Look{};
  }
  if (changes.entries > 0) {
    const auto brought = co_await apply(seen);
    if (brought->applied.is_fenced) co_return Look{false, false, true};
    if (brought->trouble) {
      Trouble trouble = *brought->trouble;
      co_await give_way(std::move(trouble), seen);
      co_return Look{};
    }
    co_await forget(seen, brought);
    match(brought->took, !changes.is_all);
    of_.step.tally.batch_committed({brought->applied.rows, 0, 0, 0}, brought->took, Clock::now());
    if (!brought->applied.is_whole()) {
      co_await wait_for_families(*seen, *brought);
      co_return Look{};
    }
  }
  failing_since_.reset();
  is_told_ = is_together_ = false;
  if (changes.is_all) putting_off_since_.reset();
  left_ = changes.behind;
  if (changes.is_all) caught_up_at_ = seen->began;
  of_.step.states.show_behind(behind());
  co_return Look{changes.entries == 0, changes.is_all, false};
}

asio::awaitable<void> Drain::wait_for_families(const Seen& seen, const Brought& brought) {
  const auto now = Clock::now();
  // Among all that there is, in one snapshot of the source, what a row needs is not found.
  const bool is_missing = seen.changes.is_all;
  if (!is_missing) failing_since_.reset();  // others were brought
  left_ = seen.changes.behind;
  of_.step.states.show_behind(behind());
  auto& since = is_missing ? failing_since_ : putting_off_since_;
  if (!since) since = now;
  const auto waited = now - *since;
  if (waited < (is_missing ? Clock::duration(kRefusedMost) : Clock::duration(kPutOffMost))) {
    if (is_missing) co_await sleep_unless_stopped(kRefusedWait, of_.step.stop);
    co_return;
  }
  const auto& left = brought.applied.left;
  const auto place = static_cast<std::size_t>(
      std::find_if(left.begin(), left.end(), [](const auto& keys) { return !keys.empty(); }) - left.begin());
  const auto& copying = (*of_.tables)[place].copying;
  throw Error(ExitCode::kFailed,
              "the change of row " + pg::display(left[place].front()) + " of " + copying.source_in_words() +
                  " cannot be brought to table " + copying.to.sql() +
                  ": it refers to a row that is not there, or a row that stays refers to it",
              "correct the cause and run again: nothing is lost, the changes wait in the queue");
}

asio::awaitable<void> Drain::give_way(Trouble trouble, std::shared_ptr<const Seen> seen) {
  const auto now = Clock::now();
  if (!failing_since_) failing_since_ = now;
  const bool is_conflict = trouble.sqlstate == pg::kUniqueViolation;
  const bool is_patient = now - *failing_since_ < kRefusedMost;
  if (is_patient && is_conflict && !seen->changes.is_all && entries_ < kEntriesMost) {
    entries_ = std::min(kEntriesMost, entries_ * kGrowth);
    is_together_ = true;
    co_return;
  }
  if (is_patient && !is_conflict && entries_ > 1) {
    entries_ = std::max<std::int64_t>(1, entries_ / 2);
    co_return;
  }
  const auto& first = (*of_.tables)[seen->changes.first_table];
  const auto& copying = first.copying;
  const auto what = "the change of row " + pg::display(seen->changes.first) + " of " +
                    copying.source_in_words() + " cannot be brought to table " + copying.to.sql() + ": " +
                    trouble.message + " (SQLSTATE " + trouble.sqlstate + ")";
  if (!is_patient) {
    const auto& why = first.unreplaceable;
    const auto hint = "correct the cause and run again: nothing is lost, the changes wait in the queue" +
                      (is_conflict && !why.empty()
                           ? "; rows that exchange a unique value cannot be replaced here, because " + why
                           : std::string());
    throw Error(ExitCode::kFailed, what, hint);
  }
  if (!std::exchange(is_told_, true)) of_.step.journal.warn(what + "; it is tried again");
  co_await sleep_unless_stopped(kRefusedWait, of_.step.stop);
}

void Drain::match(std::chrono::nanoseconds took, bool is_full) {
  batch_time_ = std::chrono::duration_cast<milliseconds>(took);
  const auto target = of_.step.tunables.batch.target;
  if (took > target) {
    entries_ = std::max<std::int64_t>(1, entries_ / 2);
  } else if (is_full && took < target / 2) {
    entries_ = std::min(kEntriesMost, entries_ + entries_ / 2 + 1);
  }
}

asio::awaitable<bool> Drain::catch_up(Clock::time_point until) {
  while (!of_.step.stop.is_requested() && Clock::now() < until) {
    const auto seen = co_await look();
    if (seen.is_fenced) co_return false;
    if (seen.is_all) co_return true;
  }
  co_return false;
}

Behind Drain::behind() const {
  Behind behind{left_, -1};
  if (caught_up_at_) behind.age_s = std::chrono::duration<double>(Clock::now() - *caught_up_at_).count();
  return behind;
}

}  // namespace pgsluice::engine
