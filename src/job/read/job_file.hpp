#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::job {

/// A job file's text, and its name in diagnostics.
struct JobText {
  std::string text;
  std::string file;
};

/// Throws Error(kJobFile) if the file cannot be read, or is too large to be one.
JobText read_text(const std::filesystem::path& path);

/// Reads one [[step]]: what is above this layer knows the kinds. Mistakes go to the section's diagnostics;
/// nullopt: of no known kind.
using StepReader = std::optional<Step> (*)(Section&);

/// Reads everything but the steps' own keys. Never throws for what the text holds.
JobFile read_job(const JobText& source, const std::string& environment, StepReader read_step);

}  // namespace pgsluice::job
