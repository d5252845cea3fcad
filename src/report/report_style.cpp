#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "pgsluice/report.hpp"

namespace pgsluice {

namespace {

bool stderr_is_capable_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

ReportStyle choose_report_style(bool json_wanted, bool quiet_wanted) {
  if (json_wanted) return ReportStyle::kJson;
  if (quiet_wanted) return ReportStyle::kQuiet;
  return stderr_is_capable_terminal() ? ReportStyle::kLive : ReportStyle::kLines;
}

bool choose_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return stderr_is_capable_terminal() && (no_color == nullptr || *no_color == '\0');
}

}  // namespace pgsluice
