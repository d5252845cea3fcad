#include "bench/rolled/hold_watch.hpp"

#include <boost/asio/co_spawn.hpp>

namespace pgsluice::bench {
namespace {

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
      sampler_(monitor_, at.prefix, at.job, {gate_, journal_, tally_, blockers_}) {}

void HoldWatch::begin() {
  const auto one_less = [this](const std::exception_ptr&) { --beside_; };
  beside_ += 2;
  boost::asio::co_spawn(at_.io, sampler_.run(over_), one_less);
  boost::asio::co_spawn(at_.io, look(), one_less);
}

boost::asio::awaitable<void> HoldWatch::end() {
  over_.set();
  while (beside_ > 0) co_await engine::sleep_for(kLook);
}

boost::asio::awaitable<void> HoldWatch::await_full_pace() {
  const std::chrono::milliseconds no_batch{0};
  co_await gate_.pass(no_batch, 1, at_.stop);
  const auto give_up = std::chrono::steady_clock::now() + kHoldMax;
  for (auto now = std::chrono::steady_clock::now(); gate_.pace(now) < 1 && now < give_up;
       now = std::chrono::steady_clock::now()) {
    if (at_.stop.is_requested()) co_return;
    co_await engine::sleep_for(kLook);
  }
}

boost::asio::awaitable<void> HoldWatch::look() {
  auto last = std::chrono::steady_clock::now();
  while (!over_.is_set()) {
    const auto now = std::chrono::steady_clock::now();
    const auto held_since = gate_.held_since(now);
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
    co_await engine::sleep_for(kLook);
  }
}

}  // namespace pgsluice::bench
