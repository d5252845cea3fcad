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
  Waiting(Gate& gate, std::int64_t rows) : gate_(gate), rows_(rows), ticket_(gate.next_ticket_++) {
    gate_.count_time(SteadyClock::now());
    gate_.waiting_.insert(ticket_);
  }
  ~Waiting() {
    note_room(true);
    gate_.count_time(SteadyClock::now());
    gate_.waiting_.erase(ticket_);
    gate_.changed_.notify();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool is_first() const { return *gate_.waiting_.begin() == ticket_; }

  /// Rows that the batch may have now, at least one for what only reads and needs no room; 0: none.
  std::int64_t rows_that_fit() {
    const auto rows = rows_ == 0 ? 1 : gate_.room_.rows_that_fit(rows_);
    note_room(rows > 0);
    return rows;
  }

 private:
  void note_room(bool has_room) {
    if (is_without_room_ != has_room) return;
    gate_.count_time(SteadyClock::now());
    is_without_room_ = !has_room;
    gate_.waiting_for_room_ += has_room ? -1 : 1;
  }

  Gate& gate_;
  std::int64_t rows_;
  bool is_without_room_ = false;
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
  return is_open(now) ? decision_.speed : 0;
}

void Gate::look(TimePoint now) {
  if (is_open(now) || waiting_.empty()) {
    held_since_.reset();
  } else if (!held_since_) {
    held_since_ = now;
  }
}

boost::asio::awaitable<void> Gate::pass_pause(const Stop& stop) {
  const Waiting waiting(*this, 0);
  while (is_paused() && !stop.is_requested())
    co_await Wakeup::wait_for_either(changed_, stop.wakeup(), kWaitMost);
}

void Gate::end_turn(const Turn& turn) {
  const auto now = SteadyClock::now();
  const auto worked = std::chrono::duration_cast<std::chrono::milliseconds>(turn.worked_);
  count_time(now);
  --in_work_;
  if (turn.batch_) room_.ended(now, *turn.batch_, turn.walked_);
  turns_.ended(now, worked, is_open(now) ? decision_.pace * turn.lanes_ : 1);
  changed_.notify();
}

void Gate::count_time(TimePoint now) {
  const auto passed = now - counted_to_;
  waited_ += waiting_for_room_ * passed;
  there_ += (in_work_ + static_cast<int>(waiting_.size())) * passed;
  counted_to_ = now;
}

double Gate::take_waited(TimePoint now) {
  count_time(now);
  const std::chrono::duration<double> waited = std::exchange(waited_, {});
  const std::chrono::duration<double> there = std::exchange(there_, {});
  return there.count() > 0 ? std::min(1.0, waited / there) : 0;
}

std::optional<Gate::TimePoint> Gate::due(Waiting& waiting, TimePoint paused_until, double share) const {
  const bool fits = waiting.rows_that_fit() > 0;  // also while held: whether the hold may end depends on it
  if (!fits || !is_open(SteadyClock::now()) || makes_room_) return std::nullopt;
  if (!decision_.is_beside_others) return paused_until;
  // Nor while as many batches as allowed are in flight; their end notifies.
  if (!waiting.is_first() || !turns_.may_start(TimePoint::max(), share)) return std::nullopt;
  return turns_.next();
}

boost::asio::awaitable<Gate::Turn> Gate::pass(std::chrono::milliseconds batch_time, int lanes,
                                              const Stop& stop, TimePoint until, std::int64_t rows) {
  Waiting waiting(*this, rows);
  const auto asked = SteadyClock::now();
  while (!stop.is_requested()) {
    const auto now = SteadyClock::now();
    if (now >= until) break;
    const double share = decision_.pace * lanes;
    const auto may_start = due(waiting, asked + governor::delay_after(batch_time, decision_.pace), share);
    if (may_start && now >= *may_start) {
      const auto fit = std::min(rows, waiting.rows_that_fit());
      turns_.started(now, share);
      count_time(now);
      ++in_work_;
      std::optional<governor::WalRoom::Batch> batch;
      if (fit > 0) batch = room_.started(fit);
      co_return Turn(*this, lanes, batch, fit);
    }
    const auto next = std::min({may_start.value_or(TimePoint::max()), until, now + kWaitMost});
    const auto wait = std::max(std::chrono::ceil<std::chrono::milliseconds>(next - now), kWaitLeast);
    co_await Wakeup::wait_for_either(changed_, stop.wakeup(), wait);
  }
  co_return Turn();
}

}  // namespace pgsluice::engine
