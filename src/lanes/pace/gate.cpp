#include "lanes/pace/gate.hpp"

#include <algorithm>

namespace pgsluice::engine {

namespace {
using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{20};             // how soon a lane notices that the gate has opened
constexpr std::chrono::milliseconds kLookBesideOthers{1};  // or that another lane's batch is over

struct Waiting {
  Waiting(std::set<std::uint64_t>& tickets, std::uint64_t ticket) : tickets_(tickets), ticket_(ticket) {
    tickets_.insert(ticket_);
  }
  ~Waiting() { tickets_.erase(ticket_); }
  bool is_first() const { return *tickets_.begin() == ticket_; }
  std::set<std::uint64_t>& tickets_;
  std::uint64_t ticket_;
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
  if (is_open(now) || waiting_.empty()) {
    held_since_.reset();
  } else if (!held_since_) {
    held_since_ = now;
  }
  return held_since_;
}

boost::asio::awaitable<void> Gate::pass_pause(const Stop& stop) {
  const Waiting waiting(waiting_, next_ticket_++);
  while (is_paused() && !stop.is_requested()) co_await sleep_for(kLook);
}

void Gate::end_turn(const Turn& turn) {
  const auto now = SteadyClock::now();
  const auto worked = std::chrono::duration_cast<std::chrono::milliseconds>(turn.worked_);
  turns_.ended(now, worked, is_open(now) ? decision_.pace * turn.lanes_ : 1);
}

boost::asio::awaitable<Gate::Turn> Gate::pass(std::chrono::milliseconds batch_time, int lanes,
                                              const Stop& stop, TimePoint until) {
  const Waiting waiting(waiting_, next_ticket_++);
  const auto asked = SteadyClock::now();
  while (!stop.is_requested()) {
    const auto now = SteadyClock::now();
    if (now >= until) break;
    auto due = now + kLook;
    if (is_open(now) && !makes_room_) {
      const double share = decision_.pace * lanes;
      const bool takes_turns = decision_.is_beside_others;
      due = takes_turns ? turns_.next() : asked + governor::delay_after(batch_time, decision_.pace);
      if (takes_turns ? waiting.is_first() && turns_.may_start(now, share) : now >= due) {
        turns_.started(now, share);
        co_return Turn(*this, lanes);
      }
    }
    // With others at work pauses are as short as batches.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - now);
    co_await sleep_for(std::clamp(left, kLookBesideOthers, kLook));
  }
  co_return Turn();
}

}  // namespace pgsluice::engine
