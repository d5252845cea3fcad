#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace pgsluice::cli {

/// Where the operator can be asked: stdin and stderr are terminals.
bool is_at_terminal();

/// True for "y" and "yes", however they are written.
bool is_yes(const std::string& answer);

/// Says on stderr what `notice` gives and asks whether to go on, unless --yes was said or nobody can be
/// asked. Without a line of notice nothing is asked: the act itself says why it cannot be. Throws
/// Error(kRefused) for any answer but yes.
void confirm_act(const Arguments& arguments, const std::function<std::vector<std::string>()>& notice);

/// Throws Error(kRefused) where nobody can be asked and --yes was not said: for what cannot be undone.
void require_word(const Arguments& arguments, const std::string& what);

}  // namespace pgsluice::cli
