#include "kinds/purge/wait_watch.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

// How often it looks who blocks: as often as the sampler asks the server.
constexpr std::chrono::milliseconds kLook{250};
// Whoever was seen so recently still blocks: four polls, since one may be late.
constexpr std::chrono::milliseconds kSeenFor{1'000};
// A cancel that reaches the server between two statements has no effect, so it is sent again.
constexpr std::chrono::milliseconds kCancelAgain{100};
// The watch notifies when it ends: this only bounds the wait.
constexpr std::chrono::milliseconds kEndedMost{1'000};

/// What story and watch tell each other.
struct Between {
  Over story;
  Over watch;
};

void tell_who(RunningStep& step, const std::string& what, const Blockers::Seen& seen, std::string& told) {
  const auto reason = what + " waits for " + seen.who;
  step.blockers.gave_up(reason, SteadyClock::now());
  if (seen.sessions == told) return;
  told = seen.sessions;
  step.journal.warn(reason, "end that session, or wait: the table's readers and writers are not held up");
}

asio::awaitable<void> watch(RunningStep* step, pg::Connection* own, std::string what,
                            std::shared_ptr<Between> between) {
  std::string told;
  while (!between->story.is_set()) {
    if (step->stop.is_requested()) {
      co_await own->cancel();
      co_await between->story.wait(kCancelAgain);
      continue;
    }
    const auto seen = step->blockers.apart(SteadyClock::now() - kSeenFor);
    if (seen) tell_who(*step, what, *seen, told);
    if (!seen) step->blockers.clear();
    co_await Wakeup::wait_for_either(between->story.wakeup(), step->stop.wakeup(), kLook);
  }
  step->blockers.clear();
}

}  // namespace

asio::awaitable<void> run_watched(RunningStep& step, pg::Connection& own, std::string what,
                                  const Story& story) {
  const auto executor = co_await asio::this_coro::executor;
  const auto between = std::make_shared<Between>();
  std::exception_ptr error;
  asio::co_spawn(executor, watch(&step, &own, std::move(what), between),
                 [between, &error](const std::exception_ptr& failed) {
                   if (failed) error = failed;
                   between->watch.set();
                 });
  try {
    co_await story();
  } catch (...) {
    error = std::current_exception();
  }
  between->story.set();
  while (!between->watch.is_set()) co_await between->watch.wait(kEndedMost);
  if (error) std::rethrow_exception(error);
}

}  // namespace pgsluice::engine
