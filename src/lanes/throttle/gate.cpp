#include "lanes/throttle/gate.hpp"

#include <algorithm>

namespace pgsluice::engine {

using SteadyClock = std::chrono::steady_clock;

namespace {
// Whatever opens the gate notifies; this only bounds the wait.
constexpr std::chrono::milliseconds kWaitMost{1'000};
constexpr std::chrono::milliseconds kWaitLeast{1};  // a timer's resolution
}  // namespace

/// A lane's ticket while it waits; once it is gone others may be first.
class Gate::Waiting {
 public:
  explicit Waiting(Gate& gate) : gate_(gate), ticket_(gate.next_ticket_++) { gate_.waiting_.insert(ticket_); }
  ~Waiting() {
    gate_.waiting_.erase(ticket_);
    gate_.changed_.notify();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool is_first() const { return *gate_.waiting_.begin() == ticket_; }

 private:
  Gate& gate_;
  std::uint64_t ticket_;
};

void Gate::decide(const governor::Decision& decision, TimePoint now) {
  decision_ = decision;
  decided_at_ = now;
  changed_.notify();
}

void Gate::pause(const std::string& reason) {
  pause_reason_ = reason;
}

void Gate::resume() {
  pause_reason_.reset();
  changed_.notify();
}

void Gate::make_room(bool is_wanted) {
  if (makes_room_ && !is_wanted) changed_.notify();
  makes_room_ = is_wanted;
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

void Gate::look(TimePoint now) {
  if (is_open(now) || waiting_.empty()) {
    held_since_.reset();
  } else if (!held_since_) {
    held_since_ = now;
  }
}

boost::asio::awaitable<void> Gate::pass_pause(const Stop& stop) {
  const Waiting waiting(*this);
  while (is_paused() && !stop.is_requested())
    co_await Wakeup::wait_for_either(changed_, stop.wakeup(), kWaitMost);
}

void Gate::end_turn(const Turn& turn) {
  const auto now = SteadyClock::now();
  const auto worked = std::chrono::duration_cast<std::chrono::milliseconds>(turn.worked_);
  turns_.ended(now, worked, is_open(now) ? decision_.pace * turn.lanes_ : 1);
  changed_.notify();
}

std::optional<Gate::TimePoint> Gate::due(const Waiting& waiting, TimePoint paused_until, double share) const {
  if (!is_open(SteadyClock::now()) || makes_room_) return std::nullopt;
  if (!decision_.is_beside_others) return paused_until;
  // Nor while as many batches as allowed are in flight; their end notifies.
  if (!waiting.is_first() || !turns_.may_start(TimePoint::max(), share)) return std::nullopt;
  return turns_.next();
}

boost::asio::awaitable<Gate::Turn> Gate::pass(std::chrono::milliseconds batch_time, int lanes,
                                              const Stop& stop, TimePoint until) {
  const Waiting waiting(*this);
  const auto asked = SteadyClock::now();
  while (!stop.is_requested()) {
    const auto now = SteadyClock::now();
    if (now >= until) break;
    const double share = decision_.pace * lanes;
    const auto may_start = due(waiting, asked + governor::delay_after(batch_time, decision_.pace), share);
    if (may_start && now >= *may_start) {
      turns_.started(now, share);
      co_return Turn(*this, lanes);
    }
    const auto next = std::min({may_start.value_or(TimePoint::max()), until, now + kWaitMost});
    const auto wait = std::max(std::chrono::ceil<std::chrono::milliseconds>(next - now), kWaitLeast);
    co_await Wakeup::wait_for_either(changed_, stop.wakeup(), wait);
  }
  co_return Turn();
}

}  // namespace pgsluice::engine
