#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/rows.hpp"

namespace pgsluice::pg {

/// A key value, one text per key column, in the form the server writes under DateStyle ISO and TimeZone UTC.
/// The same text goes back as a parameter, cast to the column's type, so no type needs its own code.
using Key = std::vector<std::string>;

/// `{"42","Berlin"}`: the text[] in which the ledger stores positions and bounds.
std::string to_array(const Key& key);

/// Reads a one-dimensional text[] without NULLs back. REQUIRES: text written by the server or by to_array.
Key from_array(const std::string& text);

/// NULL for "before the first row".
Value to_value(const std::optional<Key>& key);
std::optional<Key> from_value(const Value& value);

/// "42" or "(42, Berlin)", for people.
std::string display(const Key& key);

}  // namespace pgsluice::pg
