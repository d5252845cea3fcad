#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// How each figure of a trial on a copy is measured.
std::vector<std::string> copy_methods();

/// What trials on copies cannot show.
std::vector<std::string> copy_notes();

/// How large the copies are; `share` of the table.
std::string copy_note(std::int64_t rows, double share);

}  // namespace pgsluice::bench
