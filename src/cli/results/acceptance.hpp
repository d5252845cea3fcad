#pragma once

#include <string>
#include <vector>

#include "pgsluice/plan.hpp"

namespace pgsluice::cli {

/// How --accept writes a finding's name: "long-transactions".
std::string acceptance_name(const std::string& check);

/// Throws Error(kUsage), with what was probably meant, if one of the names is no warning's.
void require_warnings(const std::vector<std::string>& names);

/// How far a job is when its warnings are judged.
enum class Judged {
  kBeforeItBegins,  // every warning counts
  kOnceBegun,       // resumed or rolled back: only warnings of what others do
};

/// The warnings, as --accept writes them, that stop a run: those that are not accepted. Once a job has begun,
/// it may itself be the cause of the others: WAL that it made is kept for a slot, what its first steps made
/// is checked for the later ones. Pure.
std::vector<std::string> stopping_warnings(const std::vector<Finding>& findings,
                                           const std::vector<std::string>& accepted, Judged judged);

}  // namespace pgsluice::cli
