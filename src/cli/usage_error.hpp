#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "pgsluice/error.hpp"

namespace pgsluice::cli {

/// What CLI11 found wrong, in our words, with the word that was probably meant.
Error as_usage_error(const CLI::App& app, const CLI::ParseError& mistake);

/// Where the reader finds what the verb takes.
std::string help_hint(const CLI::App& app);

}  // namespace pgsluice::cli
