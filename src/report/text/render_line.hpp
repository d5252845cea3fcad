#pragma once

#include <string>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// An event as one line for a log, without a line feed: time in UTC, job, words. No colour, no carriage
/// return. Empty for a Summary, which needs several lines (render_summary).
std::string render_line(const Event& event);

}  // namespace pgsluice::report
