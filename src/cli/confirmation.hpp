#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace pgsluice::cli {

/// Whether the operator can be asked: stdin and stderr are terminals.
bool is_at_terminal();

/// True for "y" and "yes" in upper or lower case.
bool is_yes(const std::string& answer);

/// Prints `notice` on stderr and asks whether to continue, unless --yes was given or there is no terminal. An
/// empty notice asks nothing: the act itself says why it cannot be done. Throws Error(kRefused) for any
/// answer but yes.
void confirm_act(const Arguments& arguments, const std::function<std::vector<std::string>()>& notice);

/// For what cannot be undone: throws Error(kRefused) if there is no terminal to ask on and --yes was not
/// given.
void require_word(const Arguments& arguments, const std::string& what);

}  // namespace pgsluice::cli
