#include "kinds/copy/follow/run_follow.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/failpoint.hpp"
#include "base/uuid.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/copy/follow/ask_switch.hpp"
#include "kinds/copy/follow/at_source.hpp"
#include "lanes/batch/copy_step.hpp"
#include "lanes/batch/source_batch.hpp"
#include "ledger/acts.hpp"
#include "ledger/follow/follow.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/follow/follow_facts.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{200};         // at a queue that was empty, and for a request
constexpr std::chrono::milliseconds kTellEvery{2'000};  // how far behind it is, into the ledger

/// What every act needs; read anew by each run.
struct Opened {
  ledger::Follow follow;
  std::shared_ptr<const FollowedTables> tables;
  ledger::StepRecord install;
  std::vector<ledger::StepRecord> copies;  // beside the tables
  ledger::StepRecord follow_on;
  ledger::StepRecord remove;
};

std::vector<ledger::ActDefinition> act_definitions(const CopyStep& step, const FollowedTables& tables) {
  std::vector<ledger::ActDefinition> acts{
      {step.name + ": install the queue at the source", CopyStep::kKind, FollowParts::kInstall}};
  for (const auto& f : tables) {
    const auto of = step.tables.empty() ? std::string("rows") : job::written(f.step.to);
    acts.push_back({step.name + ": copy " + of, CopyStep::kKind, FollowParts::kCopy});
  }
  acts.push_back({step.name + ": follow the source", CopyStep::kKind, FollowParts::kFollow});
  acts.push_back({step.name + ": remove the queue", CopyStep::kKind, FollowParts::kRemove});
  return acts;
}

/// Short, and no other's: names at the source must stay apart, whatever database follows it.
std::string new_queue() {
  auto id = base::random_uuid();
  std::erase(id, '-');
  return id.substr(0, 12);
}

Opened open(pg::Session& session, const CopyStep& copy, std::int64_t step_id, const std::string& owner) {
  Opened opened;
  const auto known = ledger::read_follow(session, step_id);
  if (!known) require_own_rows(session, copy);
  const auto queue = known ? known->queue : new_queue();
  with_source(session, copy, [&](pg::Session& source) {
    opened.tables =
        std::make_shared<const FollowedTables>(read_followed(source, session, copy, queue, owner));
  });
  // Only now: what is refused leaves nothing in the ledger, or the next run would take all rows for copies.
  opened.follow = ledger::open_follow(session, step_id, queue);
  if (opened.follow.queue != queue) return open(session, copy, step_id, owner);  // another run was first
  const auto acts = ledger::open_acts(session, step_id, act_definitions(copy, *opened.tables));
  opened.install = acts.front();
  opened.copies.assign(acts.begin() + 1, acts.end() - 2);
  opened.follow_on = acts[acts.size() - 2];
  opened.remove = acts.back();
  return opened;
}

/// A queue that was there before: without its triggers it has not got every change.
void require_triggers(pg::Session& source, const Following& following) {
  const auto ask = awake_triggers(following);
  if (source.exec(ask.sql, ask.params).integer(0, 0) == 2) return;
  throw Error(
      ExitCode::kRefused,
      "the queue of " + following.copying.source_in_words() +
          " is there, but a trigger that fills it was dropped or switched off: changes may have passed "
          "unnoticed",
      "pgsluice rollback removes the queue; then run again");
}

/// The marks of what is installed now, or was before.
std::string install(pg::Session& source, const FollowedTables& tables) {
  const bool is_there =
      source.exec("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {tables.front().names.queue_sql()})
          .boolean(0, 0);
  if (!is_there) send_ddl_alone(source, install_statements(tables));
  for (const auto& following : tables) require_triggers(source, following);
  return read_marks(source, tables);
}

asio::awaitable<void> run_install(RunningStep& step, const Opened& opened, CopyStep copy) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  const auto source = open_source(step, copy, "follow");
  const auto marks = std::make_shared<std::string>();
  SourceWork work{install_statements(*opened.tables), [tables = opened.tables, marks](pg::Session& s) {
                    *marks = install(s, *tables);
                    return true;
                  }};
  co_await insist_at_source(step, *source, std::move(work));
  if (step.stop.is_requested()) co_return;
  base::failpoint("follow_installed");
  std::function<bool(pg::Session&)> note = [id = opened.follow.step_id, marks,
                                            token = range->token](pg::Session& s) {
    return pg::in_transaction(s, {}, [&] {
      ledger::note_installed(s, id, *marks);
      return ledger::mark_done(s, token);
    });
  };
  co_await keep_trying<bool>(step.connection, note, step.journal, step.stop);
}

/// With what this or another run has installed since.
asio::awaitable<void> look_again(RunningStep& step, Opened& opened) {
  std::function<ledger::Follow(pg::Session&)> read = [id = opened.follow.step_id](pg::Session& s) {
    return ledger::read_follow(s, id).value();
  };
  opened.follow = co_await keep_trying<ledger::Follow>(step.connection, read, step.journal, step.stop);
}

/// Follows until it is switched, or a stop is requested.
class FollowStory {
 public:
  FollowStory(RunningStep& step, const Opened& opened, CopyStep copy)
      : step_(step), opened_(opened), copy_(std::move(copy)), source_(open_source(step, copy_, "follow")) {}

  asio::awaitable<void> run() {
    step_.journal.write(event::StepStarted{step_.record.name, step_.record.kind, false, 0});
    while (!step_.stop.is_requested()) {
      const auto range = co_await lease_single(step_, step_.connection);
      if (!range) co_return;
      Drain drain({step_, opened_.tables, opened_.follow.marks, *source_}, range->token);
      const bool is_over = co_await follow(drain);
      if (is_over) co_return;
    }
  }

 private:
  std::int64_t follow_id() const { return opened_.follow.step_id; }

  /// A run that died may have switched, and have said so to nobody.
  asio::awaitable<bool> is_switched() {
    std::function<bool(pg::Session&)> look = [tables = opened_.tables](pg::Session& s) {
      return is_switched_at_source(s, sources_of(*tables).front());
    };
    co_return co_await keep_trying<bool>(*source_, look, step_.journal, step_.stop);
  }

  /// False: fenced.
  asio::awaitable<bool> follow(Drain& drain) {
    if (co_await is_switched()) {
      if (!co_await drain.catch_up(Clock::time_point::max())) co_return step_.stop.is_requested();
      const std::string words = "switched by an earlier run, which ended before it could say so";
      co_await finish(drain, words);
      co_return true;
    }
    step_.journal.write(event::State{
        "running", "following",
        "what was there is copied; changes are brought until pgsluice switch " + step_.job.name});
    for (;;) {
      co_await step_.gate.pass_pause(step_.stop);
      if (step_.stop.is_requested()) co_return true;
      Drain::Look look;
      {
        auto turn = co_await step_.gate.pass(drain.batch_time(), 1, step_.stop);
        if (step_.stop.is_requested()) co_return true;
        look = co_await drain.look();
        turn.worked(drain.batch_time());
      }
      if (look.is_fenced) co_return false;
      co_await tell(drain);
      if (co_await obey(drain)) co_return true;
      if (look.is_empty) co_await sleep_unless_stopped(kLook, step_.stop);
    }
  }

  asio::awaitable<void> tell(Drain& drain) {
    const auto now = Clock::now();
    if (told_at_ && now - *told_at_ < kTellEvery) co_return;
    told_at_ = now;
    std::function<bool(pg::Session&)> note = [id = follow_id(), behind = drain.behind()](pg::Session& s) {
      ledger::note_behind(s, id, behind);
      return true;
    };
    co_await keep_trying<bool>(step_.connection, note, step_.journal, step_.stop);
  }

  /// True: it was asked to switch, and has.
  asio::awaitable<bool> obey(Drain& drain) {
    if (asked_at_ && Clock::now() - *asked_at_ < kLook) co_return false;
    asked_at_ = Clock::now();
    using Asked = std::optional<std::chrono::milliseconds>;
    std::function<Asked(pg::Session&)> ask = [id = follow_id()](pg::Session& s) {
      return ledger::take_switch(s, id);
    };
    const auto pause = co_await keep_trying<Asked>(step_.connection, ask, step_.journal, step_.stop);
    if (!pause) co_return false;
    SwitchAnswer answer;
    std::exception_ptr error;
    try {
      answer = co_await switch_over(step_, drain, copy_, *pause);
    } catch (const SwitchUnknown& e) {
      error = std::current_exception();
      answer.words = e.what();
    } catch (const std::exception& e) {
      error = std::current_exception();
      answer.words = std::string("not switched, writers go on: ") + e.what();
    }
    if (answer.is_switched) {
      co_await finish(drain, answer.words);
      co_return true;
    }
    co_await reply(answer);
    if (error) std::rethrow_exception(error);
    co_return false;
  }

  asio::awaitable<void> reply(SwitchAnswer answer) {
    step_.journal.warn(answer.words, hint_after_switch(answer.code));
    const auto text = std::to_string(static_cast<int>(answer.code)) + " " + answer.words;
    std::function<bool(pg::Session&)> say = [id = follow_id(), text](pg::Session& s) {
      ledger::answer_switch(s, id, text);
      return true;
    };
    co_await keep_trying<bool>(step_.connection, say, step_.journal, step_.stop);
  }

  asio::awaitable<void> finish(Drain& drain, std::string words) {
    step_.journal.write(event::State{"following", "switched", words});
    const auto text = "0 " + words;
    std::function<bool(pg::Session&)> note = [id = follow_id(), text, token = drain.token()](pg::Session& s) {
      return pg::in_transaction(s, {}, [&] {
        ledger::note_switched(s, id);
        ledger::answer_switch(s, id, text);
        return ledger::mark_done(s, token);
      });
    };
    co_await keep_trying<bool>(step_.connection, note, step_.journal, step_.stop);
  }

  RunningStep& step_;
  const Opened& opened_;
  CopyStep copy_;
  std::shared_ptr<pg::Connection> source_;
  std::optional<Clock::time_point> told_at_;
  std::optional<Clock::time_point> asked_at_;
};

asio::awaitable<void> run_remove(RunningStep& step, const Opened& opened, CopyStep copy) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto range = co_await lease_single(step, step.connection);
  if (!range) co_return;
  const auto source = open_source(step, copy, "follow");
  const auto statements = removal_statements(sources_of(*opened.tables));
  SourceWork work{statements, [statements](pg::Session& s) {
                    send_ddl_alone(s, statements);
                    return true;
                  }};
  co_await insist_at_source(step, *source, std::move(work));
  if (step.stop.is_requested()) co_return;
  co_await mark_done(step, step.connection, range->token);
}

RunningStep act_of(const RunningStep& step, const ledger::StepRecord& record) {
  RunningStep one = step;
  one.record = record;
  return one;
}

/// One after the other: a row must find what it refers to.
asio::awaitable<void> copy_rows(RunningStep& step, const Opened& opened) {
  for (std::size_t i = 0; i < opened.copies.size() && !step.stop.is_requested(); ++i) {
    if (opened.copies[i].state == StepState::kDone) continue;
    const auto& following = (*opened.tables)[i];
    std::vector<Filling> alone;
    alone.push_back({copying_of(as_followed(following.step), following.names.queue_sql()), opened.copies[i]});
    co_await step.fills.run(std::move(alone));
  }
}

/// What was there is copied. By every run: the one that copied it may have died before it could say so.
asio::awaitable<void> note_following(RunningStep& step, const Opened& opened) {
  std::function<bool(pg::Session&)> note = [id = opened.follow.step_id](pg::Session& s) {
    ledger::note_following(s, id);
    return true;
  };
  co_await keep_trying<bool>(step.connection, note, step.journal, step.stop);
}

asio::awaitable<void> run_all(RunningStep& step, CopyStep copy) {
  step.journal.write(
      event::StepStarted{step.record.name, step.record.kind, step.record.state == StepState::kRunning, 0});
  std::function<Opened(pg::Session&)> work =
      [copy, id = step.record.step_id, owner = owner_in_words(step.job.name, copy.name)](pg::Session& s) {
        return open(s, copy, id, owner);
      };
  auto opened = co_await keep_trying<Opened>(step.connection, work, step.journal, step.stop);
  const auto is_left = [&](const ledger::StepRecord& act) {
    return !step.stop.is_requested() && act.state != StepState::kDone;
  };
  if (is_left(opened.install)) {
    auto one = act_of(step, opened.install);
    const Story story = [&] { return run_install(one, opened, copy); };
    co_await run_told(one, story);
    if (!step.stop.is_requested()) co_await look_again(step, opened);
  }
  co_await copy_rows(step, opened);
  if (is_left(opened.follow_on)) {
    co_await note_following(step, opened);
    auto one = act_of(step, opened.follow_on);
    FollowStory following(one, opened, copy);
    const Story story = [&] { return following.run(); };
    co_await run_told(one, story);
  }
  if (is_left(opened.remove)) {
    auto one = act_of(step, opened.remove);
    const Story story = [&] { return run_remove(one, opened, copy); };
    co_await run_told(one, story);
  }
  step.states.show(step.record.name, step.record.kind);
}

}  // namespace

std::string owner_in_words(const std::string& job, const std::string& step) {
  return "job \"" + job + "\", step \"" + step + "\"";
}

asio::awaitable<void> run_follow(RunningStep& step, CopyStep copy) {
  const Story story = [&] { return run_all(step, copy); };
  co_await run_told(step, story);
}

}  // namespace pgsluice::engine
