#include "compare/goals.hpp"

#include <functional>
#include <vector>

#include "measure/markdown.hpp"

namespace pgsluice::bench {
namespace {

/// Computes the figures of a goal for an arm of pgsluice.
using Measure = std::function<Figures(const CaseResult&, const std::string& walk, int lanes)>;

struct Goal {
  std::string case_name;
  std::string what;
  int lanes;
  bool is_at_least;
  double limit;
  Measure measure;
};

Measure part_of_update(CaseResult::Member member) {
  return [member](const CaseResult& r, const std::string& walk, int lanes) {
    return r.ratio(arm_name(walk, lanes), kOneUpdate, member);
  };
}

Measure speed_to(const std::string& other) {
  return [other](const CaseResult& r, const std::string& walk, int lanes) {
    return r.speed(arm_name(walk, lanes), other);
  };
}

Figures speed_to_keyset(const CaseResult& r, const std::string& walk, int lanes) {
  return r.speed(arm_name(walk, lanes), arm_name("keyset", lanes));
}

Figures p99_to_alone(const CaseResult& r, const std::string& walk, int lanes) {
  return r.ratio(arm_name(walk, lanes), kAlone, &TrialFigures::p99_ms);
}

Figures speed_to_no_limits(const CaseResult& r, const std::string& walk, int lanes) {
  const auto arm = pgsluice_arm(walk, lanes);
  return r.speed(arm.name, without_limits(arm).name);
}

std::vector<Goal> all_goals() {
  const auto wal = part_of_update(&TrialFigures::wal_mb);
  const auto size = part_of_update(&TrialFigures::size_mb);
  return {
      {"base", "WAL against one UPDATE", 1, false, 0.58, wal},
      {"base", "WAL against one UPDATE", 2, false, 0.62, wal},
      {"base", "WAL against one UPDATE", 4, false, 0.62, wal},
      {"base", "table and indexes afterwards against one UPDATE", 1, false, 0.68, size},
      {"base", "table and indexes afterwards against one UPDATE", 2, false, 0.68, size},
      {"base", "table and indexes afterwards against one UPDATE", 4, false, 0.68, size},
      {"base", "speed against one UPDATE", 1, true, 1.4, speed_to(kOneUpdate)},
      {"base", "speed against one UPDATE", 2, true, 2.0, speed_to(kOneUpdate)},
      {"base", "speed against pgroll's batch shape", 1, true, 2.0, speed_to(kPgroll)},
      {"base", "speed against pgroll's batch shape", 2, true, 3.0, speed_to(kPgroll)},
      {"uuid-large", "speed against keyset", 1, true, 2.0, speed_to_keyset},
      {"uuid-large", "speed against keyset", 2, true, 2.0, speed_to_keyset},
      {"traffic", "p99 of the application against alone", 1, false, 2.0, p99_to_alone},
      {"traffic", "p99 of the application against alone", 2, false, 2.0, p99_to_alone},
      {"traffic", "speed against limits out of reach", 1, true, 1.0 / 3, speed_to_no_limits},
      {"traffic", "speed against limits out of reach", 2, true, 1.0 / 3, speed_to_no_limits},
      {"changed-indexed", "speed against keyset", 1, true, 0.95, speed_to_keyset},
      {"changed-indexed", "speed against keyset", 2, true, 0.95, speed_to_keyset},
      {"snapshot", "speed against keyset", 1, true, 0.95, speed_to_keyset},
      {"snapshot", "speed against keyset", 2, true, 0.95, speed_to_keyset},
      {"snapshot-old", "speed against keyset", 1, true, 0.95, speed_to_keyset},
      {"snapshot-old", "speed against keyset", 2, true, 0.95, speed_to_keyset},
  };
}

std::string outcome(const Results& results, const Goal& goal, const std::string& walk) {
  const auto& result = results.at(goal.case_name);
  if (result.refused().contains(arm_name(walk, goal.lanes))) return "not available";
  const auto figures = goal.measure(result, walk, goal.lanes);
  if (figures.empty()) return "not measured";
  const bool is_met = goal.is_at_least ? figures.median() >= goal.limit : figures.median() <= goal.limit;
  return verdict(is_met) + ": " + figures.text(2);
}

}  // namespace

std::string goals_section(const Results& results) {
  MarkdownTable table({"case", "", "lanes", "goal", "interleaved", "auto"});
  for (const auto& goal : all_goals()) {
    if (!results.contains(goal.case_name)) continue;
    table.add({goal.case_name, goal.what, std::to_string(goal.lanes),
               (goal.is_at_least ? "at least " : "at most ") + number_text(goal.limit, 2),
               outcome(results, goal, "interleaved"), outcome(results, goal, "auto")});
  }
  return "## Goals\n\n" + table.text() +
         "\nVerdicts are on the medians. The application's p99 is with the throttle's defaults.\n";
}

}  // namespace pgsluice::bench
