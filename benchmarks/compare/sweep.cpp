// What the interleaved walk decides by itself, set to fixed values, one of them varied at a time.

#include <algorithm>

#include "compare/case.hpp"

namespace pgsluice::bench {
namespace {

// "passes:windows:pages" of a group, read by builds with failpoints; 0 leaves it to the walk.
constexpr const char* kWeave = "PGSLUICE_WEAVE";

struct Tunable {
  std::string what;
  std::string before, after;  // of the value in kWeave
  std::vector<int> values;
};

const std::vector<Tunable>& tunables() {
  static const std::vector<Tunable> all{
      {"passes", "", ":0:0", {2, 4, 6, 8, 12, 16, 24}},
      {"windows", "0:", ":0", {1, 2, 3, 4, 6}},
      {"pages", "0:0:", "", {60, 125, 250, 500, 1000, 2000}},
  };
  return all;
}

Arm tuned(const Tunable& tunable, int value, int lanes) {
  auto arm = pgsluice_arm("interleaved", lanes);
  arm.name += ", " + std::to_string(value) + " " + tunable.what;
  arm.env[kWeave] = tunable.before + std::to_string(value) + tunable.after;
  return arm;
}

/// A case with the arms of a sweep.
Case swept(Case c, const Tunable& tunable) {
  c.title += ": " + tunable.what + " of the interleaved walk";
  c.name = tunable.what + "-" + c.name;
  c.arms = {by_hand(kOneUpdate)};
  for (const int lanes : {1, 2, 4}) {
    c.arms.push_back(pgsluice_arm("interleaved", lanes));
    for (const int value : tunable.values) c.arms.push_back(tuned(tunable, value, lanes));
  }
  for (auto& arm : c.arms) arm.is_quick = arm.lanes <= 2;
  c.rounds = 3;
  c.quick_rounds = 2;
  return c;
}

Case named(const std::string& name) {
  const auto cases = all_cases();
  return *std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.name == name; });
}

/// Twice as many rows a page as in the base case.
Case narrow() {
  auto c = named("base");
  c.name = "narrow";
  c.title = "52 bytes a row, primary key and one more index";
  c.table.columns = "created_at timestamptz";
  c.table.values = "timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute'";
  c.table.indexes = {"created_at"};
  return c;
}

}  // namespace

std::vector<Case> sweep_cases() {
  std::vector<Case> cases;
  for (const auto& tunable : tunables()) cases.push_back(swept(named("base"), tunable));
  const auto& passes = tunables().front();
  const auto& pages = tunables().back();
  for (const auto& c : {narrow(), named("wide"), named("fillfactor-70")}) cases.push_back(swept(c, passes));
  cases.push_back(swept(named("uuid-large"), pages));
  return cases;
}

}  // namespace pgsluice::bench
