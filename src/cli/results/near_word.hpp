#pragma once

#include <string>
#include <vector>

namespace pgsluice::cli {

/// The known word that a mistyped one most likely meant; empty if none is close.
std::string near_word(const std::string& word, const std::vector<std::string>& known);

}  // namespace pgsluice::cli
