#pragma once

#include <string>
#include <vector>

#include "pg/random_values.hpp"

namespace pgsluice::test {

/// One statement of an application on a table (id, c, note, n).
struct Write {
  enum class Kind {
    kInsert,
    kValue,  // another value in c
    kCopy,   // that of another row
    kOther,  // another column
    kSame,   // another column, and c as it is, as many object mappers do
    kDelete
  };

  Kind kind;
  int id = 0;
  std::string value{};  // of kInsert and kValue, as SQL
  int source = 0;       // of kCopy: the row

  /// True when c may become what it has not been.
  bool is_of_value() const;
  /// What c becomes, as SQL. REQUIRES: is_of_value().
  std::string new_value(const std::string& table) const;
  std::string sql(const std::string& table) const;
};

/// A value for a column of the first type; now and then one that rather suits the other.
std::string random_mixed_literal(const std::string& type, const std::string& other, Random& random);

/// Writes in a row to rows 1 to `*last`, and to new ones behind, which `last` then counts. The column has
/// `type`, and before or after it `other`.
std::vector<Write> random_writes(const std::string& type, const std::string& other, std::size_t count,
                                 int* last, Random& random);

/// SETs of one application's session, with its own ideas of how values are read and written.
std::string random_settings(Random& random);

}  // namespace pgsluice::test
