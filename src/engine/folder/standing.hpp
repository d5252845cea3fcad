#pragma once

#include <string>
#include <vector>

#include "kinds/definition_change/definition_change.hpp"
#include "ledger/jobs.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// How a job's file and the ledger's definition differ, as far as it matters for where the job stands.
struct FileChange {
  bool is_refused = false;              // it touches a step that has left something behind
  std::vector<std::string> difference;  // the lines of every changed, removed or added step
};

/// `known`: the ledger's steps, in order. Names the steps that the file has added behind them.
FileChange file_change(const DefinitionChange& change, const std::vector<ledger::StepDefinition>& known,
                       const std::vector<ledger::StepDefinition>& given);

/// Where the job stands, and why, in words; `file` and `job` are left to the caller. `known` is null for a
/// job that is not in the ledger. Pure.
FolderEntry judge(const JobOverview* known, const FileChange& change);

}  // namespace pgsluice::engine
