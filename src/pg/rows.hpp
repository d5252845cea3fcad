#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::pg {

using Value = std::optional<std::string>;  // text as the server wrote it; empty: NULL
using Params = std::vector<Value>;

/// The answer to one statement, copied out of libpqxx. Small by design: none of our statements reads more
/// than a few thousand rows. Immutable value.
class Rows {
 public:
  Rows() = default;
  Rows(std::vector<std::vector<Value>> rows, std::int64_t affected)
      : rows_(std::move(rows)), affected_(affected) {}

  bool empty() const noexcept { return rows_.empty(); }
  std::size_t size() const noexcept { return rows_.size(); }
  /// From the command tag: rows that an UPDATE, INSERT or DELETE touched.
  std::int64_t affected() const noexcept { return affected_; }

  const Value& at(std::size_t row, std::size_t column) const { return rows_.at(row).at(column); }
  bool is_null(std::size_t row, std::size_t column) const { return !at(row, column).has_value(); }
  /// NULL reads as empty, 0 or false.
  std::string text(std::size_t row, std::size_t column) const { return at(row, column).value_or(""); }
  std::int64_t integer(std::size_t row, std::size_t column) const {
    return is_null(row, column) ? 0 : std::stoll(*at(row, column));
  }
  double real(std::size_t row, std::size_t column) const {
    return is_null(row, column) ? 0 : std::stod(*at(row, column));
  }
  bool boolean(std::size_t row, std::size_t column) const { return text(row, column) == "t"; }
  const std::vector<Value>& row(std::size_t row) const { return rows_.at(row); }

 private:
  std::vector<std::vector<Value>> rows_;
  std::int64_t affected_ = 0;
};

}  // namespace pgsluice::pg
