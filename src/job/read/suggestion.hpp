#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::job {

/// The candidate that a mistyped word most likely meant; empty if none is close.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// One sentence: "did you mean \"target\"?", or "known keys: a, b" (with `noun` "keys") if none is close.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view noun);

}  // namespace pgsluice::job
