#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace pgsluice::test {

using Random = std::mt19937_64;

/// A number below `count`. REQUIRES: count > 0.
std::size_t pick(Random& random, std::size_t count);

/// True in so many of a hundred times.
bool chance(Random& random, int percent);

template <typename T>
const T& one_of(Random& random, const std::vector<T>& values) {
  return values.at(pick(random, values.size()));
}

/// False for a type of which nobody has written values down here. `type` is its name in pg_type, an array's
/// begins with an underscore.
bool has_values(const std::string& type);

/// A value as SQL writes it: quoted, or NULL. The extremes of the type come often. A column with a modifier
/// may not take every one.
std::string random_literal(const std::string& type, Random& random);

/// Values that the type's own equality may confuse although they are not the same: 1.0 and 1.00. Empty where
/// there are none.
std::vector<std::string> lookalikes(const std::string& type);

}  // namespace pgsluice::test
