#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compare/arm.hpp"
#include "compare/table.hpp"
#include "compare/trial.hpp"
#include "measure/figures.hpp"
#include "measure/options.hpp"

namespace pgsluice::bench {

/// The base case, or the base case with one thing about it changed.
struct Case {
  std::string name;
  std::string title;
  Table table{};
  std::vector<Arm> arms = few_arms();
  int rounds = 5;
  int quick_rounds = 2;
  bool is_quick = true;        // in --quick, even if it is not named
  double heap_to_buffers = 0;  // above 0: shared_buffers is set, so that the heap is larger by this
  bool has_traffic = false;
  std::optional<std::chrono::seconds>
      snapshot_age{};  // of a transaction open beside the change, when it begins
};

std::vector<Case> all_cases();

/// k, window and turn of the interleaved walk, on the base case.
std::vector<Case> sweep_cases();

/// What was measured of a case. Ratios are computed within a round.
class CaseResult {
 public:
  using Round = std::map<std::string, TrialFigures>;  // by name of the arm
  using Member = double TrialFigures::*;

  void add(Round round) { rounds_.push_back(std::move(round)); }
  void refuse(const std::string& arm, const std::string& why) { refused_[arm] = why; }

  Figures figures(const std::string& arm, Member member) const;
  /// The arm's divided by the other's.
  Figures ratio(const std::string& arm, const std::string& other, Member member) const;
  /// How many times as fast as the other.
  Figures speed(const std::string& arm, const std::string& other) const;

  bool has(const std::string& arm) const;
  /// What pgsluice said about its walk, in the last round.
  std::vector<std::string> remarks(const std::string& arm) const;
  /// Arms that could not do it, with their words.
  const std::map<std::string, std::string>& refused() const { return refused_; }
  std::size_t rounds() const { return rounds_.size(); }

  std::string setting;        // of the server, where the case has one of its own
  double per_s = 0;           // the application's transactions
  double others_percent = 0;  // of the cores, taken by what has no part in this

 private:
  std::vector<Round> rounds_;
  std::map<std::string, std::string> refused_;
};

}  // namespace pgsluice::bench
