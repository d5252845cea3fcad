#include "report/live/terminal.hpp"

#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace pgsluice::report {

namespace {

std::string character_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

}  // namespace

bool locale_is_utf8() {
  const std::string locale = character_locale();
  const auto dot = locale.find('.');
  if (dot == std::string::npos) return false;
  const std::string codeset = locale.substr(dot + 1, locale.find('@', dot) - dot - 1);
  return strcasecmp(codeset.c_str(), "UTF-8") == 0 || strcasecmp(codeset.c_str(), "UTF8") == 0;
}

Terminal read_terminal(std::FILE* file, bool color) {
  Terminal terminal;
  terminal.utf8 = locale_is_utf8();
  terminal.color = color;
  winsize size{};
  if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    terminal.columns = size.ws_col;
    terminal.rows = size.ws_row;
  }
  return terminal;
}

}  // namespace pgsluice::report
