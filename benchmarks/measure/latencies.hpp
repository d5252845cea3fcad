#pragma once

#include <chrono>
#include <vector>

#include "measure/figures.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::bench {

/// What an application noticed between two moments, in milliseconds.
class Latencies {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// Adds the transactions of which some part, from when they were due, fell between the two.
  void add(const std::vector<test::Served>& served, Time from, Time to) {
    for (const auto& one : served) {
      const std::chrono::duration<double, std::milli> took(one.ms);
      const auto due = one.ended - std::chrono::duration_cast<Time::duration>(took);
      if (one.ended >= from && due <= to) all_.add(one.ms);
    }
  }

  double at_share(double share) const { return all_.at_share(share); }
  double p99() const { return all_.at_share(0.99); }
  double longest() const { return all_.max(); }
  std::size_t count() const { return all_.count(); }

 private:
  Figures all_;
};

}  // namespace pgsluice::bench
