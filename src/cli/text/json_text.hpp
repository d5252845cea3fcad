#pragma once

#include <string>

#include "base/json.hpp"

namespace pgsluice::cli {

/// On one line. Text that is not UTF-8 is shown with U+FFFD instead of failing.
std::string json_line(const base::Json& json);

/// Indented, for documents that people read too.
std::string json_document(const base::Json& json);

}  // namespace pgsluice::cli
