#include "engine/gate.hpp"

#include <algorithm>

namespace pgsluice::engine {

namespace {
using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{20};  // how soon a lane notices that the gate opened

struct Waiting {
  explicit Waiting(int& count) : count_(count) { ++count_; }
  ~Waiting() { --count_; }
  int& count_;
};
}  // namespace

void Gate::decide(const governor::Decision& decision, TimePoint now) {
  decision_ = decision;
  decided_at_ = now;
}

void Gate::pause(const std::string& reason) {
  pause_reason_ = reason;
}
void Gate::resume() {
  pause_reason_.reset();
}

bool Gate::is_stale(TimePoint now) const {
  return !decided_at_ || now - *decided_at_ > governor::kSampleAgeMax;
}

bool Gate::is_open(TimePoint now) const {
  return !is_paused() && !is_stale(now) && decision_.flow != governor::Flow::kHold;
}

std::string Gate::reason(TimePoint now) const {
  if (pause_reason_) return "paused: " + *pause_reason_;
  if (!decided_at_) return "waiting for the first samples";
  if (is_stale(now))
    return "no fresh sample of any signal for " +
           governor::quantity_text(governor::seconds_between(*decided_at_, now), "s");
  return decision_.reason;
}

double Gate::pace(TimePoint now) const {
  return is_open(now) ? decision_.pace : 0;
}

std::optional<Gate::TimePoint> Gate::held_since(TimePoint now) {
  if (is_open(now) || waiting_ == 0) {
    held_since_.reset();
  } else if (!held_since_) {
    held_since_ = now;
  }
  return held_since_;
}

boost::asio::awaitable<void> Gate::pass_pause(const Stop& stop) {
  const Waiting waiting(waiting_);
  while (is_paused() && !stop.is_requested()) co_await sleep_for(kLook);
}

boost::asio::awaitable<void> Gate::pass(std::chrono::milliseconds batch_time, int lanes, const Stop& stop) {
  const Waiting waiting(waiting_);
  const auto asked = SteadyClock::now();
  if (batch_time.count() > 0 && is_open(asked)) turns_.ended(asked, batch_time, decision_.pace * lanes);
  while (!stop.is_requested()) {
    const auto now = SteadyClock::now();
    if (is_open(now) && !makes_room_) {
      const auto own = asked + governor::delay_after(batch_time, decision_.pace);
      const auto due = decision_.is_beside_others ? turns_.next() : own;
      if (now >= due) {
        turns_.started(now, decision_.pace * lanes);
        co_return;
      }
      // Beside others pauses are as short as batches.
      co_await sleep_for(std::min(kLook, std::chrono::ceil<std::chrono::milliseconds>(due - now)));
      continue;
    }
    co_await sleep_for(kLook);
  }
}

}  // namespace pgsluice::engine
