#pragma once

#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::test {

/// A table with a key that a keyset walk must follow.
struct KeysetCase {
  std::string name;  // of the test
  TableName table;
  std::vector<std::string> key;  // empty: the walk chooses
  std::string sql;               // makes and fills the table
};

/// Every kind of key that the walk promises, each with values that a wrong comparison would trip over.
const std::vector<KeysetCase>& keyset_cases();

}  // namespace pgsluice::test
