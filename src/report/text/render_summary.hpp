#pragma once

#include <string>
#include <vector>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// The end of a run in words, as lines without line feeds. What did not happen (no batch, nothing held) is
/// left out; the highest lag says so if no replica was seen.
std::vector<std::string> render_summary(const std::string& job, const event::Summary& summary, bool color);

}  // namespace pgsluice::report
