#pragma once

#include <string>
#include <vector>

#include "pg/key.hpp"
#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// How the rows of a copy are compared: by a hash of the text that every value has, or would have, at the
/// target. Seeds are chained, so that nothing is concatenated and NULL is not an empty text. Pure.

enum class CopySide { kSource, kTarget };

/// A row's hash. `is_converted`: of the bytes that its texts have in UTF8, for databases of different
/// encodings.
std::string row_hash_sql(const Copying& copying, CopySide side, bool is_converted);

/// (count, sum of hashes) of a slice. REQUIRES: for kTarget copying.target_key.
std::string sums_sql(const Copying& copying, CopySide side, const std::string& hash,
                     const std::string& predicate);

/// (key, hash) of each row of a slice. REQUIRES: for kTarget copying.target_key.
std::string keyed_hashes_sql(const Copying& copying, CopySide side, const std::string& hash,
                             const std::string& predicate);

/// How many rows the target has.
std::string count_sql(const Copying& copying);

/// (key, hash) of the rows with these keys: one text[] parameter a key column. REQUIRES: the key is copied
/// under its own name.
std::string hashes_of_keys_sql(const Copying& copying, CopySide side, const std::string& hash);

/// "FROM … WHERE …" of the rows with these keys alone: SQL for an array a key column.
std::string from_keys_sql(const Copying& copying, CopySide side, const std::vector<std::string>& keys);

/// In place of a row's hash: about how many bytes its copied columns take as text.
std::string row_size_sql(const Copying& copying);

/// The parameters of hashes_of_keys_sql(), for the keys of a map or set of keys.
template <class Keys>
pg::Params key_arrays(const Keys& keys, std::size_t columns) {
  pg::Params params;
  for (std::size_t i = 0; i < columns; ++i) {
    pg::Key values;
    for (const auto& [key, rest] : keys) values.push_back(key[i]);
    params.emplace_back(pg::to_array(values));
  }
  return params;
}

/// Whether a row of the source can be found at the target: by its key, copied under its own name.
bool is_key_copied(const Copying& copying);

}  // namespace pgsluice::engine
