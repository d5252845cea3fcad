#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::cli {

/// One line that cannot control a terminal: each control character but a tab becomes a blank. Text from the
/// server and from the ledger goes through here before it is shown.
std::string plain_line(std::string_view text);

/// The same with each run of blanks and control characters as one blank, none at the ends: for prose.
std::string plain_words(std::string_view text);

/// The text's own lines, each plain; no empty ones at either end.
std::vector<std::string> plain_lines(std::string_view text);

/// Characters of UTF-8 text: what a terminal draws, as long as none is wide.
std::size_t character_count(std::string_view text);

/// Writes the bytes as they are to stdout, then a line feed.
void print_line(std::string_view line);

}  // namespace pgsluice::cli
