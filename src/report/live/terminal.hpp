#pragma once

#include <cstddef>
#include <cstdio>

namespace pgsluice::report {

/// What the live view may use of a terminal. A value; read again for each repaint, since it may have been
/// resized.
struct Terminal {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool utf8 = true;
  bool color = false;
};

/// The terminal behind `file`; 80 × 24 if it does not say. Touches no global state.
Terminal read_terminal(std::FILE* file, bool color);

/// True if LC_ALL, LC_CTYPE or LANG, the first of them that is set, names UTF-8.
bool locale_is_utf8();

}  // namespace pgsluice::report
