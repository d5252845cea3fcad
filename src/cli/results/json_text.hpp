#pragma once

#include <string>

#include "base/json.hpp"

namespace pgsluice::cli {

/// On one line. Bytes that are not UTF-8 become U+FFFD; it does not fail on them.
std::string json_line(const base::Json& json);

/// Indented, for documents that people read too.
std::string json_document(const base::Json& json);

}  // namespace pgsluice::cli
