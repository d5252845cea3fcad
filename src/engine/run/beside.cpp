#include "engine/run/beside.hpp"

#include <boost/asio/co_spawn.hpp>
#include <string>

#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace {
// Each notifies when it ends: this only bounds a wait.
constexpr std::chrono::milliseconds kEndedMost{1'000};
}  // namespace

void Beside::start(const char* what, boost::asio::awaitable<void> work) {
  ++at_work_;
  boost::asio::co_spawn(io_, std::move(work), [this, what](const std::exception_ptr& error) {
    --at_work_;
    ended_.notify();
    note(what, error);
  });
}

void Beside::watch(const char* what, boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(io_, std::move(work),
                        [this, what](const std::exception_ptr& error) { note(what, error); });
}

boost::asio::awaitable<void> Beside::finish() {
  while (at_work_ > 0) co_await ended_.wait(kEndedMost);
}

void Beside::note(const char* what, const std::exception_ptr& error) {
  if (!error) return;
  if (!failure_) failure_ = error;
  run_failure_.note(error);
  stop_.request(StopCause::kFailed, std::string(what) + " failed: " + message_of(error));
}

}  // namespace pgsluice::engine
