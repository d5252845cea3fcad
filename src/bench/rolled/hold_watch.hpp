#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "bench/measure/surroundings.hpp"
#include "engine/run/beside.hpp"
#include "lanes/throttle/gate.hpp"
#include "lanes/throttle/sampler.hpp"
#include "telling/journal.hpp"
#include "telling/tally.hpp"

namespace pgsluice::bench {

/// The engine's own signals and gate, for batches on the real table: they hold as a run's would. A lasting
/// hold ends the bench, because its figures would only show the throttle. Confined to the io thread.
class HoldWatch {
 public:
  /// Longer than a replica needs to catch up with a trial; shorter than the operator's patience.
  static constexpr std::chrono::seconds kHoldMax{10};

  explicit HoldWatch(const Surroundings& at);
  /// REQUIRES: end() was awaited if begin() was called.
  ~HoldWatch() = default;

  void begin();
  boost::asio::awaitable<void> end();

  /// Waits until batches may run at full pace, so that a trial does not show what slowed the previous one; or
  /// until stop is requested or kHoldMax has passed.
  boost::asio::awaitable<void> await_full_pace();

  engine::Gate& gate() { return gate_; }
  engine::Sampler& sampler() { return sampler_; }
  /// Seconds since begin() in which batches had to wait, and why they last did.
  double slowed_s() const { return slowed_s_; }
  const std::string& reason() const { return reason_; }

 private:
  boost::asio::awaitable<void> look();

  Surroundings at_;
  std::unique_ptr<EventSink> nobody_;  // the sampler's events are reported by this object instead
  engine::Gate gate_;
  engine::Tally tally_;
  engine::Blockers blockers_;
  engine::Journal journal_;
  pg::Connection monitor_;
  engine::Sampler sampler_;
  engine::Over over_;
  engine::FirstFailure failure_;
  engine::Beside beside_;
  double slowed_s_ = 0;
  std::string reason_;
};

}  // namespace pgsluice::bench
