#pragma once

#include <string>
#include <string_view>

namespace pgsluice::job {

/// The part of a CREATE INDEX after the table's name, from the method on: `USING gin (tags) WHERE …`. Empty
/// for any other statement. Thread-safe.
std::string index_body(std::string_view sql);

}  // namespace pgsluice::job
