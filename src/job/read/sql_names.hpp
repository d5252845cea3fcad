#pragma once

#include <optional>
#include <string>
#include <vector>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

// Names as SQL writes them, under a key of a step. Mistakes go to the section.

/// nullopt: the key is absent, or its text is no table's name.
std::optional<TableName> read_table(Section& section, const char* key);

/// A name or a list of them; empty if the key is absent.
std::vector<TableName> read_tables(Section& section, const char* key);

/// A name or a list of them, each once; empty if the key is absent. `if_empty`: the hint for an empty list,
/// which is a mistake.
std::vector<std::string> read_columns(Section& section, const char* key, const char* if_empty);

}  // namespace pgsluice::job
