#include "engine/run/end_in_time.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

// How late --for, --until, the window and give_up may be noticed, because no event announces a time. A stop
// wakes the watch at once.
constexpr milliseconds kClockLook{100};
// How often work in progress is checked while the run drains: short compared with the grace.
constexpr milliseconds kDrainLook{20};
constexpr milliseconds kTellMost{50};  // for the reporter's thread to write the summary
// Much longer than a healthy statement of keeper and ledger takes on a slow network, and short enough to
// write the end to the ledger in time on a new connection.
constexpr milliseconds kControlHangs{500};

milliseconds since(SteadyClock::time_point then, SteadyClock::time_point now) {
  return std::chrono::floor<milliseconds>(now - then);
}

}  // namespace

asio::awaitable<void> EndInTime::watch() {
  while (!has_ended_) {
    const auto now = SteadyClock::now();
    of_.gate.look(now);
    of_.clocks.look(of_.tunables.throttle, of_.gate, of_.blockers, of_.over.is_set() ? late_ : of_.stop, now,
                    std::time(nullptr));
    const bool is_to_end = !rests_ && (of_.stop.is_requested() || late_.is_requested());
    if (is_to_end) {
      if (!drains_since_) drains_since_ = now;
      const auto decision = decide_end(facts(now));
      act(decision, now);
      if (decision.leaves) co_await leave();
    }
    co_await of_.stop.wakeup().wait(is_to_end ? kDrainLook : kClockLook);
  }
}

EndFacts EndInTime::facts(TimePoint now) const {
  EndFacts facts;
  facts.drains_for = since(*drains_since_, now);
  facts.grace = of_.options.grace;
  facts.signals = of_.signals.seen();
  facts.commit_wait = of_.sampler.commit_wait(now);
  if (aborts_since_) facts.aborts_for = since(*aborts_since_, now);
  if (cancelled_at_) facts.cancelled_for = since(*cancelled_at_, now);
  facts.is_operators_cancel = of_.stop.cause() == StopCause::kCancelled;
  facts.are_lanes_at_work = of_.fills.lanes() != nullptr;
  facts.is_statement_in_flight = is_statement_in_flight();
  facts.may_close_beside = of_.row.is_registered() && !is_closing_ && !is_closed_beside_;
  return facts;
}

void EndInTime::act(const EndDecision& decision, TimePoint now) {
  if (!decision.abort_because.empty()) {
    aborts_since_ = now;
    tell_abort(decision.abort_because);
  }
  if (decision.cuts_statement || decision.sends_cancels) cancelled_at_ = now;
  if (decision.cuts_statement) cut_statement();
  if (decision.sends_cancels) send_cancels(now);
  if (decision.closes_beside) close_beside();
}

bool EndInTime::is_statement_in_flight() const {
  const auto own = of_.own.opened();
  return of_.steps.is_in_flight() || (own && own->is_in_flight());
}

std::string EndInTime::work_in_words() const {
  if (of_.fills.lanes()) return "the batches in flight";
  if (of_.in_work.name.empty()) return "the work in progress";
  return of_.in_work.kind + " step \"" + of_.in_work.name + "\"";
}

void EndInTime::tell_abort(const std::string& why) {
  of_.in_work.cut = work_in_words();
  if (!is_closing_)
    of_.journal.write(event::State{"draining", "aborting", why + ": cancelling " + of_.in_work.cut});
}

void EndInTime::cut_statement() {
  if (of_.in_work.cut.empty()) tell_abort(of_.stop.reason());
  of_.steps.abort_hanging(milliseconds{0});
  if (const auto own = of_.own.opened()) own->abort_hanging(milliseconds{0});
}

void EndInTime::send_cancels(TimePoint now) {
  if (auto* lanes = of_.fills.lanes()) lanes->abort();
  if (const auto own = of_.own.opened()) own->shut();
  of_.steps.shut();
  of_.monitor.shut();
  // While the run opens, cancels whatever is in progress. Later the end is written on that connection: only
  // what already hung is cut, such as a COMMIT that waits for a standby, and nothing that began since.
  const bool is_opening = !of_.row.is_registered() && !is_closing_;
  const auto aborts_for = std::chrono::ceil<milliseconds>(now - *aborts_since_);
  of_.control.abort_hanging(is_opening ? milliseconds{0} : std::max(kControlHangs, aborts_for));
}

void EndInTime::close_beside() {
  is_closed_beside_ = true;
  of_.expect_end();
  of_.beside.watch("the end of the run's row", of_.row.close(of_.outcome()));
}

asio::awaitable<void> EndInTime::leave() {
  auto end = of_.outcome();
  // It is not known whether the ledger has recorded that all is done.
  if (is_job_done(end)) {
    end.code = ExitCode::kWorkLeft;
    end.outcome = "work left";
    end.reason = late_.reason();
    end.hint.clear();
  }
  end.reason += "; the server has not answered since it was told to cancel " + of_.in_work.cut +
                ", which will end as soon as the server responds again";
  if (end.hint.empty()) end.hint = "run again: the job continues where it stopped";
  of_.journal.write(of_.summary(end));
  co_await sleep_for(kTellMost);
  // Threads still wait for the server, so an orderly end could wait for ever. Nothing is flushed: presenters
  // flush what they write, and one whose reader is stuck holds the stream for ever.
  const int status = static_cast<int>(end.code);
  std::_Exit(end.code == ExitCode::kWorkLeft ? of_.options.yield_exit_code.value_or(status) : status);
}

}  // namespace pgsluice::engine
