#include "cli/results/error_text.hpp"

#include <cstdio>

#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {

void print_error(const Error& error, bool json) {
  std::fflush(stdout);  // if both go to the same place, the error comes last
  std::string text = "pgsluice: error: " + plain_words(error.what()) + "\n";
  if (!error.hint().empty()) text += "  hint: " + plain_words(error.hint()) + "\n";
  if (json) {
    text += json_line({{"type", "exit_error"},
                       {"code", static_cast<int>(error.code())},
                       {"message", error.what()},
                       {"hint", error.hint()}}) +
            "\n";
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace pgsluice::cli
