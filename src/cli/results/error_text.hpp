#pragma once

#include "pgsluice/error.hpp"

namespace pgsluice::cli {

/// "pgsluice: error: …" and its hint on stderr; with `json` a last line {"type": "exit_error", …} after them.
void print_error(const Error& error, bool json);

}  // namespace pgsluice::cli
