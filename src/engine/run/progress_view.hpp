#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "lanes/fill_work.hpp"
#include "lanes/lease/held_ranges.hpp"
#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/gate.hpp"
#include "lanes/throttle/sampler.hpp"
#include "pgsluice/progress.hpp"
#include "telling/step/step_in_work.hpp"

namespace pgsluice::engine {

/// What a run shows about itself while it works. Confined to the io thread; what it reads outlives it.
class ProgressView {
 public:
  struct LooksAt {
    const Job& job;
    const Tunables& tunables;
    const InWork& in_work;
    const Stop& stop;
    const FillWork& fills;
    const HeldRanges& ranges;
    const Sampler& sampler;
    const Tally& tally;
    const Gate& gate;
    const Blockers& blockers;
    std::chrono::steady_clock::time_point began;
  };
  explicit ProgressView(LooksAt at) : at_(at) {}

  Progress progress() const;
  /// The line that `status` shows.
  std::string line() const;

 private:
  /// Whether it is running, and if not, why.
  struct Standing {
    RunState state = RunState::kRunning;
    std::string reason;
    double pace = 0;
  };
  Standing standing(std::chrono::steady_clock::time_point now) const;

  LooksAt at_;
};

}  // namespace pgsluice::engine
