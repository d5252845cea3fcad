#include "cli/confirmation.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>

#include "cli/output/plain_text.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::cli {

bool is_at_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool is_yes(const std::string& answer) {
  std::string word;
  for (const char c : answer) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word == "y" || word == "yes";
}

void confirm_act(const Arguments& arguments, const std::function<std::vector<std::string>()>& notice) {
  if (arguments.is_yes_said || !is_at_terminal()) return;
  const auto lines = notice();
  if (lines.empty()) return;
  for (const auto& line : lines) std::fprintf(stderr, "%s\n", plain_line(line).c_str());
  std::fputs("Continue? [y/N] ", stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (!is_yes(answer))
    throw Error(ExitCode::kRefused, "nothing was done: the answer was not yes", "--yes skips the question");
}

void require_word(const Arguments& arguments, const std::string& what) {
  if (arguments.is_yes_said || is_at_terminal()) return;
  throw Error(
      ExitCode::kRefused,
      what + " cannot be undone, and there is no terminal on stdin and stderr to ask for confirmation",
      "add --yes to confirm");
}

}  // namespace pgsluice::cli
