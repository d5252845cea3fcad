#pragma once

#include <cstdint>

#include "table/images/images.hpp"

namespace pgsluice::engine {

/// Bytes that one before-image will take, by the widths of the last ANALYZE, with its share of the page. New
/// values are assumed to be as wide as old ones. Throws Failure.
std::int64_t bytes_per_image(pg::Session& session, const Images& images);

}  // namespace pgsluice::engine
