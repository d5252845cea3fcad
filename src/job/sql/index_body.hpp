#pragma once

#include <string>
#include <string_view>

namespace pgsluice::job {

/// What a CREATE INDEX says behind the table's name, from its method on: `USING gin (tags) WHERE …`. Empty
/// for any other statement. Thread-safe.
std::string index_body(std::string_view sql);

}  // namespace pgsluice::job
