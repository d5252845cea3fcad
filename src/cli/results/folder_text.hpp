#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::cli {

/// A folder for people: a job in a line, what was changed since, jobs that the folder does not have, what
/// other tools' version tables say, and how many jobs stand where. Pure.
std::vector<std::string> folder_lines(const FolderOverview& folder);

/// The same for programs.
base::Json folder_json(const std::string& path, const FolderOverview& folder);

/// "taking back 2 jobs, last one first; job "b" stays", and a line for each. Pure.
std::vector<std::string> take_back_lines(const std::vector<FiledJob>& jobs, const std::string& stays);

}  // namespace pgsluice::cli
