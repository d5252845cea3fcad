#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// The place of a job in its folder; `name` is the job's name or its file, with or without the folder. Throws
/// Error(kNoSuchJob). Pure.
std::size_t place_in_folder(const std::vector<FiledJob>& jobs, const std::string& name);

}  // namespace pgsluice::engine
