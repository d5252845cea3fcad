#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::report {

/// One line that cannot disturb a terminal or a log: control characters and runs of blanks become one blank,
/// direction marks are removed, bytes that are not UTF-8 become U+FFFD. Without `utf8` everything beyond
/// ASCII becomes '?'.
std::string clean_line(std::string_view text, bool utf8 = true);

/// Columns that a clean line takes on a terminal; colour sequences take none. East Asian wide characters take
/// two; combining marks count as one, so that the result is never too small.
std::size_t display_width(std::string_view line);

/// The clean, uncoloured line cut to `width` columns, with an ellipsis when something was cut.
std::string fit_line(const std::string& line, std::size_t width, bool utf8);

/// The texts side by side, `gap` between them, on as many lines as `width` requires; a text is cut only if it
/// is wider than that.
std::vector<std::string> pack_lines(const std::vector<std::string>& texts, const std::string& gap,
                                    std::size_t width, bool utf8);

/// The clean line on as many lines as `width` requires, broken at blanks.
std::vector<std::string> wrap_line(const std::string& line, std::size_t width, bool utf8);

}  // namespace pgsluice::report
