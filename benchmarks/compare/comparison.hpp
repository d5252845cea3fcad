#pragma once

#include <random>
#include <string>
#include <vector>

#include "compare/case.hpp"

namespace pgsluice::bench {

/// What a run was asked for beside what every program here takes.
struct CompareOptions : Options {
  bool is_sweep = false;
  std::vector<std::string> arms;  // parts of names; empty: those of a case
  std::int64_t table_rows(const Case& c) const;
};

/// Arms of a case, or those that were asked for by name, whether they are among them or not.
std::vector<Arm> wanted_arms(const Case& c, const CompareOptions& options);

/// Runs a case on a server of its own: rounds of all its arms, each round in an order drawn from `random`. An
/// arm that refuses is not asked again. Throws std::runtime_error when a result is wrong.
CaseResult compare(const Case& c, const CompareOptions& options, std::mt19937_64& random);

}  // namespace pgsluice::bench
