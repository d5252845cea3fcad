#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pg/key.hpp"

namespace pgsluice::engine {

/// A line of COPY's text format: fields separated by tabs, special characters escaped by a backslash. Pure.

/// What is left of the line after its first fields.
std::string_view after_fields(std::string_view line, std::size_t fields);

/// The first fields as a key. REQUIRES: none of them is NULL.
pg::Key key_at_start(std::string_view line, std::size_t fields);

/// The whole number in a field; nullopt: NULL, or no number of 64 bits.
std::optional<std::int64_t> integer_in(std::string_view line, std::size_t field);

}  // namespace pgsluice::engine
