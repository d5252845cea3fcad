#include "bench/rolled/hold_watch.hpp"

namespace pgsluice::bench {
namespace {

// Resolution of the time in which batches had to wait.
constexpr std::chrono::milliseconds kLook{20};

class Nobody final : public EventSink {
 public:
  void publish(Event) override {}
};

}  // namespace

HoldWatch::HoldWatch(const Surroundings& at)
    : at_(at),
      nobody_(std::make_unique<Nobody>()),
      journal_(*nobody_, at.job.name, ""),
      monitor_(at.target, at.prefix + " monitor"),
      sampler_(monitor_, at.prefix, at.job.tunables, {gate_, journal_, tally_, blockers_}),
      beside_(at.io, failure_, at_.stop) {}

void HoldWatch::begin() {
  beside_.start("the sampler", sampler_.run(over_));
  beside_.start("the watch over holds", look());
}

boost::asio::awaitable<void> HoldWatch::end() {
  over_.set();
  co_await beside_.finish();
}

boost::asio::awaitable<void> HoldWatch::await_full_pace() {
  const std::chrono::milliseconds no_batch{0};
  co_await gate_.pass(no_batch, 1, at_.stop);
  const auto give_up = std::chrono::steady_clock::now() + kHoldMax;
  for (auto now = std::chrono::steady_clock::now(); gate_.pace(now) < 1 && now < give_up;
       now = std::chrono::steady_clock::now()) {
    if (at_.stop.is_requested()) co_return;
    co_await engine::sleep_unless_stopped(kLook, at_.stop);
  }
}

boost::asio::awaitable<void> HoldWatch::look() {
  auto last = std::chrono::steady_clock::now();
  while (!over_.is_set()) {
    const auto now = std::chrono::steady_clock::now();
    gate_.look(now);
    const auto held_since = gate_.held_since();
    if (held_since || (gate_.is_open(now) && gate_.pace(now) < 1)) {
      slowed_s_ += std::chrono::duration<double>(now - last).count();
      reason_ = gate_.reason(now);
    }
    if (held_since && now - *held_since > kHoldMax) {
      at_.stop.request(engine::StopCause::kHeldTooLong,
                       "held for " + std::to_string(kHoldMax.count()) + " s: " + gate_.reason(now));
    }
    last = now;
    journal_.take_pending();  // none of it is stored
    co_await over_.wait(kLook);
  }
}

}  // namespace pgsluice::bench
