#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/read/section.hpp"
#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// The statements under a key, which holds one text or a list of them; mistakes go to the section.
std::vector<std::string> read_statements(Section& section, const char* key);

/// Reports a list that is there but empty.
void refuse_empty(Section& section, const char* key, const char* hint);

/// The text under a key if `check` accepts it, as `check` returns it; mistakes go to the section.
std::string read_checked(Section& section, const char* key, Checked<std::string> (*check)(std::string_view));

}  // namespace pgsluice::job
