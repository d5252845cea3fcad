#pragma once

#include <string>
#include <vector>

#include "pg/random_values.hpp"
#include "support/db.hpp"

namespace pgsluice::test {

/// A column's type: as SQL declares it, and the name under which random_values knows what it holds.
struct ColumnType {
  std::string sql;
  std::string values;
};

/// One change of type. `forth` and `back` are the job's `using` and `back` over the column c; empty: not
/// given.
struct CastPair {
  ColumnType from;
  ColumnType to;
  std::string forth{};
  std::string back{};
  bool is_same_bytes = false;  // no cast looks at a value, there or back: nothing can be wrong with one
};

/// Types of our own that the pairs below need, and citext where the server has it.
void create_pair_types(Db& db);

/// All pairs of the server's pg_cast that have values, and how many it lists that have none.
struct ListedPairs {
  std::vector<CastPair> pairs;
  std::size_t without_values = 0;
};
ListedPairs listed_pairs(Db& db);

/// The same type with another length, precision or scale.
CastPair random_modifier_pair(Random& random);

/// Pairs that no list holds: through the text form, domains, enums, arrays, and expressions of an operator.
std::vector<CastPair> unlisted_pairs(Db& db);

/// The pair with random lengths, precisions and scales where its types take them.
CastPair with_modifiers(CastPair pair, Random& random);

}  // namespace pgsluice::test
