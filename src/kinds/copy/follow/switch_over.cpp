#include "kinds/copy/follow/switch_over.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "base/failpoint.hpp"
#include "base/units.hpp"
#include "kinds/compare/comparison.hpp"
#include "kinds/copy/follow/at_source.hpp"
#include "kinds/ddl/ddl.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "pg/connection/savepoint.hpp"
#include "pg/identifier.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/follow/follow_facts.hpp"
#include "table/follow/follow_sql.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

// How long what has piled up may take to bring before the writers are held; then the answer is how much.
constexpr std::chrono::seconds kCatchUpMost{60};
// The server ends the transaction that holds the writers, if the program does not.
constexpr milliseconds kHoldGrace{2'000};
constexpr milliseconds kSettle{5'000};  // for a backend that is committing the switch

std::string text_of(milliseconds duration) {
  return base::format_duration(duration);
}

/// What a comparison of both sides found.
struct Compared {
  std::int64_t wrong = 0;
  std::string words;  // of what is wrong: "2 of 5,000 rows missing or different: …"

  void add(const Compared& other) {
    if (other.wrong == 0) return;
    wrong += other.wrong;
    words += (words.empty() ? "" : "; ") + other.words;
  }
};

/// Rows that the target has and the source has not. REQUIRES: neither is written meanwhile.
Compared count_surplus(pg::Session& source, pg::Session& target, const Copying& copying) {
  const auto theirs = source.exec(count_source_sql(copying)).integer(0, 0);
  const auto ours = target.exec(count_target_sql(copying)).integer(0, 0);
  if (ours <= theirs) return {};
  return {ours - theirs, base::format_count(ours - theirs) + " rows are in table " + copying.to.sql() +
                             " that the source has not"};
}

/// Nothing takes entries out meanwhile: a row that differs because its change is not brought yet is among
/// them.
std::set<pg::Key> queued_among(pg::Session& source, const Following& following,
                               const std::vector<pg::Key>& keys) {
  const auto ask = queued_keys(following, keys);
  pg::Rows rows;
  source.exec(begin_source_sql(following.copying));
  try {
    rows = source.exec(ask.sql, ask.params);
    source.exec("COMMIT");
  } catch (...) {
    pg::rollback(source);
    throw;
  }
  std::set<pg::Key> queued;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    pg::Key key;
    for (std::size_t k = 0; k < following.copying.key.size(); ++k) key.push_back(rows.text(i, k));
    queued.insert(std::move(key));
  }
  return queued;
}

/// `are_writers_held`: rows that only the target has are found too, unless they may be its own.
Compared compare_table(pg::Session& target, const Following& following, bool are_writers_held) {
  const auto copy = as_followed(following.step);
  Compared found;
  with_source(target, copy, [&](pg::Session& source) {
    const auto on_their_way = [&](const std::vector<pg::Key>& keys) {
      return queued_among(source, following, keys);
    };
    const auto differences =
        compare_all({source, target}, copy, Comparison::Surplus::kIgnored, {}, on_their_way);
    found = {differences.wrong(), "table " + following.copying.to.sql() + ": " + differences.in_words()};
    if (are_writers_held && copy.on_conflict != OnConflict::kUpdate && found.wrong == 0)
      found = count_surplus(source, target, following.copying);
  });
  return found;
}

/// The transaction that holds the writers, on a connection of its own: gone with it.
class Hold {
 public:
  Hold(RunningStep& step, const CopyStep& copy, const Drain& drain)
      : connection_(open_source(step, copy, "switch")),
        tables_(std::make_shared<const FollowedTables>(drain.tables())),
        marks_(drain.marks()) {}

  /// Empty: the writers are held. Else why not: somebody is in the way.
  asio::awaitable<std::string> take(milliseconds pause) {
    std::function<std::string(pg::Session&)> work = [statements = refuse_statements(*tables_),
                                                     pause](pg::Session& s) {
      s.give_up_after(kSourceSilence);
      try {
        s.exec(pg::begin_sql({steps::kDdlLockTimeout, milliseconds{10'000}, true}) +
               "; SET LOCAL idle_in_transaction_session_timeout = " +
               std::to_string((pause + kHoldGrace).count()));
        s.exec(synchronous_sql());
        send_ddl(s, statements);
        return std::string();
      } catch (const pg::Failure& f) {
        if (f.is_connection_lost()) return std::string(f.what());
        pg::rollback(s);
        if (f.sqlstate() != pg::kLockNotAvailable) throw SourceFailure(f, std::nullopt);
        return f.what() + source_holders(s, statements);
      }
    };
    std::string lost;
    try {
      co_return co_await connection_->run<std::string>(work);
    } catch (const pg::Failure& f) {
      if (!f.is_connection_lost()) throw;
      lost = f.what();
    }
    co_return lost;
  }

  /// Commits if the queue is empty and the table as it was. False: not empty. Throws pg::InDoubt.
  asio::awaitable<bool> commit_if_empty() {
    std::function<bool(pg::Session&)> work = [tables = tables_, marks = marks_](pg::Session& s) {
      if (read_marks(s, *tables) != marks) return false;
      if (s.exec(count_entries_sql(*tables)).integer(0, 0) > 0) return false;
      base::failpoint("switch_before_commit");
      pg::commit(s);
      base::failpoint("switch_committed");
      return true;
    };
    co_return co_await connection_->run<bool>(work);
  }

  asio::awaitable<void> let_go() {
    std::function<bool(pg::Session&)> work = [](pg::Session& s) { return pg::rollback(s); };
    try {
      co_await connection_->run<bool>(work);
    } catch (const pg::Failure&) {
      // The connection is gone, and the transaction with it.
    }
  }

 private:
  std::shared_ptr<pg::Connection> connection_;
  std::shared_ptr<const FollowedTables> tables_;
  std::string marks_;
};

/// The column of the source that a plain expression names.
std::string name_of(const CopiedColumn& column) {
  std::string name;
  for (std::size_t i = 1; i + 1 < column.expression.size(); ++i) {
    name += column.expression[i];
    if (column.expression[i] == '"') ++i;
  }
  return name;
}

/// The last number that the source's sequence has given; nullopt: none, or this role may not ask, and then
/// the highest value copied counts.
std::optional<std::int64_t> last_given(pg::Session& source, const Copying& copying,
                                       const CopiedColumn& column) try {
  const auto last = source.exec(source_sequence_sql(), {copying.from.sql(), name_of(column)});
  if (last.empty() || last.is_null(0, 0)) return std::nullopt;
  return last.integer(0, 0);
} catch (const pg::Failure& f) {
  if (f.is_connection_lost()) throw;
  return std::nullopt;
}

/// What the source gave last, though no row of it may be left, is not given again.
void raise_sequences(pg::Session& target, const Following& following) {
  const auto& copying = following.copying;
  with_source(target, following.step, [&](pg::Session& source) {
    for (const auto& sequence : copying.sequences) {
      const auto& column = copying.columns[sequence.column];
      const auto last = column.is_plain ? last_given(source, copying, column) : std::nullopt;
      if (last) target.exec(raise_sequence_sql(sequence.sequence_sql, *last));
    }
  });
}

/// One switch, from the request to the answer.
class Switching {
 public:
  Switching(RunningStep& step, Drain& drain, CopyStep copy, milliseconds pause)
      : step_(step), drain_(drain), copy_(std::move(copy)), pause_(pause) {}

  asio::awaitable<SwitchAnswer> run() {
    const auto wrong = co_await compare_beside_writers();
    if (!wrong.words.empty()) co_return wrong;
    const base::Backoff backoff{steps::kDdlBackoffBase, steps::kDdlBackoffMax, steps::kDdlAttempts,
                                std::random_device{}()};
    for (int attempt = 1;; ++attempt) {
      if (!co_await catch_up()) co_return refusal("");
      Hold hold(step_, copy_, drain_);
      const auto blocked = co_await hold.take(pause_);
      if (blocked.empty()) {
        SwitchAnswer answer;
        std::exception_ptr error;
        try {
          answer = co_await inside(hold);
        } catch (...) {
          error = std::current_exception();
        }
        if (!answer.is_switched) co_await hold.let_go();
        if (error) std::rethrow_exception(error);
        co_return answer;
      }
      const auto wait = backoff.next(attempt);
      if (!wait) co_return refusal("a table of the source could not be locked: " + blocked);
      const auto seconds = std::chrono::duration<double>(*wait).count();
      step_.journal.write(
          event::BatchFailed{0, 0, std::string(pg::kLockNotAvailable), blocked, attempt, "retry", seconds});
      co_await sleep_unless_stopped(*wait, step_.stop);
    }
  }

 private:
  /// Why not; empty: because the run is to stop, or there is too much left.
  SwitchAnswer refusal(const std::string& why, ExitCode code = ExitCode::kWorkLeft) const {
    std::string words = why;
    if (words.empty() && step_.stop.is_requested()) words = "the run was told to stop";
    if (words.empty())
      words = "the source is changed faster than its changes are brought: " +
              base::format_behind(drain_.behind().entries, drain_.behind().age_s);
    return {false, code, "not switched, writers go on: " + words};
  }

  asio::awaitable<bool> catch_up() {
    const bool is_done = co_await drain_.catch_up(Clock::now() + kCatchUpMost);
    co_return is_done && !step_.stop.is_requested();
  }

  asio::awaitable<Compared> compare(bool are_writers_held) {
    const auto began = Clock::now();
    std::function<Compared(pg::Session&)> work = [tables = drain_.tables(),
                                                  are_writers_held](pg::Session& s) {
      Compared all;
      for (const auto& following : tables) all.add(compare_table(s, following, are_writers_held));
      return all;
    };
    const auto found = co_await keep_trying<Compared>(step_.connection, work, step_.journal, step_.stop);
    compared_in_ = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    co_return found;
  }

  /// Words only if rows are wrong, or there is no time for it.
  asio::awaitable<SwitchAnswer> compare_beside_writers() {
    if (!co_await catch_up()) co_return refusal("");
    const auto found = co_await compare(false);
    if (found.wrong > 0) co_return refusal(found.words, ExitCode::kMismatch);
    co_return SwitchAnswer{};
  }

  asio::awaitable<SwitchAnswer> inside(Hold& hold) {
    base::failpoint("switch_locked");
    const auto began = Clock::now();
    const auto end = began + pause_;
    const auto too_long = "what was left did not fit into the pause of " + text_of(pause_);
    for (;;) {
      const auto look = co_await drain_.look();
      if (step_.stop.is_requested()) co_return refusal("");
      if (look.is_fenced) co_return refusal("another run follows now");
      if (Clock::now() >= end) co_return refusal(too_long);
      if (look.is_empty) break;
    }
    bool is_compared = false;
    if (compared_in_ * 2 < end - Clock::now()) {
      const auto found = co_await compare(true);
      if (found.wrong > 0) co_return refusal(found.words, ExitCode::kMismatch);
      is_compared = true;
    }
    co_await set_sequences();
    base::failpoint("switch_drained");
    if (Clock::now() >= end) co_return refusal(too_long);
    if (step_.stop.is_requested()) co_return refusal("");
    const auto failed = co_await commit(hold);
    if (!failed.empty()) co_return refusal(failed);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    co_return SwitchAnswer{true, ExitCode::kDone,
                           "writers of the source waited for " + text_of(took) +
                               " and are refused now; both sides were compared " +
                               (is_compared ? "meanwhile" : "just before")};
  }

  /// Empty: it is committed.
  asio::awaitable<std::string> commit(Hold& hold) {
    std::string failed;
    try {
      const bool is_committed = co_await hold.commit_if_empty();
      if (is_committed) co_return failed;
      co_return "a table of the source, or its queue, was changed just now";
    } catch (const pg::InDoubt& f) {
      failed = f.what();
    } catch (const pg::Failure& f) {
      if (!f.is_connection_lost()) throw;
      co_return std::string("the source ended the transaction that held the writers: ") + f.what();
    }
    const bool is_committed = co_await settle();
    if (is_committed) failed.clear();
    co_return failed;
  }

  /// Whether the COMMIT without an answer has been made.
  asio::awaitable<bool> settle() {
    const auto source = open_source(step_, copy_, "settle");
    std::function<bool(pg::Session&)> look = [first = sources_of(drain_.tables()).front()](pg::Session& s) {
      return is_switched_at_source(s, first);
    };
    std::string unknown;
    try {
      co_return co_await keep_trying<bool>(*source, look, step_.journal, step_.stop);
    } catch (const std::exception& e) {
      unknown = e.what();
    }
    throw SwitchUnknown(ExitCode::kWorkLeft,
                        "it is not known whether the source has switched, for it does not answer: " + unknown,
                        "run the job again: it finds out, and finishes what was switched");
  }

  asio::awaitable<void> set_sequences() {
    std::function<bool(pg::Session&)> work = [tables = drain_.tables()](pg::Session& s) {
      for (const auto& following : tables) raise_sequences(s, following);
      return true;
    };
    co_await keep_trying<bool>(step_.connection, work, step_.journal, step_.stop);
  }

  RunningStep& step_;
  Drain& drain_;
  CopyStep copy_;
  milliseconds pause_;
  milliseconds compared_in_{0};
};

}  // namespace

bool is_switched_at_source(pg::Session& source, const FollowedSource& first) {
  source.give_up_after(kSourceSilence);
  try {
    return pg::in_transaction(source, {kSettle, milliseconds{0}, true}, [&] {
      // Waits for the transaction that holds the writers, which an orphan backend may be about to commit.
      if (source.exec("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {first.table_sql}).boolean(0, 0))
        source.exec("LOCK TABLE " + first.table_sql + " IN ROW EXCLUSIVE MODE");
      return source
          .exec("SELECT pg_catalog.to_regprocedure($1) IS NOT NULL", {first.names.refuse_sql() + "()"})
          .boolean(0, 0);
    });
  } catch (const pg::Failure& failure) {
    throw SourceFailure(failure, std::nullopt);
  }
}

asio::awaitable<SwitchAnswer> switch_over(RunningStep& step, Drain& drain, CopyStep copy,
                                          milliseconds pause) {
  Switching switching(step, drain, std::move(copy), pause);
  co_return co_await switching.run();
}

}  // namespace pgsluice::engine
