#pragma once

#include <cstdint>
#include <string>

#include "pg/catalog/storage.hpp"

namespace pgsluice::engine {

/// A table after a purge.
struct SpaceFacts {
  std::string table_sql;
  std::int64_t deleted = 0;  // rows, one by one: partitions that were dropped leave nothing behind
  std::int64_t rows = 0;     // that are left
  pg::Storage storage;
  bool is_vacuumed = false;  // by the purge
};

/// What the deleted rows leave behind, and what gives it back, in words.
struct SpaceAdvice {
  std::string text;  // empty: not worth a word
  std::string hint;
};

/// Estimated: the deleted rows' share of what heap and indexes hold, as if all rows were of one size and the
/// pages were full before. Pure.
SpaceAdvice space_advice(const SpaceFacts& facts);

}  // namespace pgsluice::engine
