#pragma once

#include <string>

namespace pgsluice::report {

// Colour sequences (ECMA-48 SGR), one for each thing that needs to stand out.
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kYellow = "\x1b[1;33m";
constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kPlain = "\x1b[0m";

/// The line in that style, or unchanged if colour is not wanted.
inline std::string styled(const std::string& line, const char* style, bool color) {
  return color ? style + line + kPlain : line;
}

}  // namespace pgsluice::report
