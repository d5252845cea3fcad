// What the interleaved walk decides by itself, set to fixed values, one of them varied at a time.

#include "compare/case.hpp"

namespace pgsluice::bench {
namespace {

struct Tunable {
  std::string what;
  std::string variable;  // of the program's environment, read by builds with PGSLUICE_TUNABLES
  std::vector<int> values;
};

const std::vector<Tunable>& tunables() {
  static const std::vector<Tunable> all{
      {"passes", "PGSLUICE_INTERLEAVE_PASSES", {2, 4, 6, 8, 12, 16, 24}},
      {"window pages", "PGSLUICE_INTERLEAVE_PAGES", {100, 250, 500, 1000, 2000, 4000}},
      {"windows in turn", "PGSLUICE_INTERLEAVE_WINDOWS", {1, 2, 3, 4, 6}},
  };
  return all;
}

Arm tuned(const Tunable& tunable, int value, int lanes) {
  auto arm = pgsluice_arm("interleaved", lanes);
  arm.name += ", " + std::to_string(value) + " " + tunable.what;
  arm.env[tunable.variable] = std::to_string(value);
  return arm;
}

Case sweep_of(const Tunable& tunable) {
  Case c{"sweep " + tunable.what, "the base case, " + tunable.what + " of the interleaved walk"};
  c.arms = {by_hand(kOneUpdate)};
  for (const int lanes : {1, 2, 4}) {
    c.arms.push_back(pgsluice_arm("interleaved", lanes));
    for (const int value : tunable.values) c.arms.push_back(tuned(tunable, value, lanes));
  }
  for (auto& arm : c.arms) arm.is_quick = arm.lanes <= 2;
  return c;
}

}  // namespace

std::vector<Case> sweep_cases() {
  std::vector<Case> cases;
  for (const auto& tunable : tunables()) cases.push_back(sweep_of(tunable));
  return cases;
}

}  // namespace pgsluice::bench
