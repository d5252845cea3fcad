#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::cli {

/// A plan for people: each step with its statements as they are, their locks, its walk, estimates and how to
/// undo it. Pure.
std::vector<std::string> plan_lines(const Plan& plan);

/// The same for programs. Durations in seconds, sizes in bytes.
base::Json plan_json(const Plan& plan);

/// Findings of preflight, in the order given.
std::vector<std::string> finding_lines(const std::vector<Finding>& findings);
base::Json findings_json(const std::string& job, const std::vector<Finding>& findings);

/// How `check` ends: kDone, or the exit code of the first finding that refuses.
int exit_code_of(const std::vector<Finding>& findings);

}  // namespace pgsluice::cli
