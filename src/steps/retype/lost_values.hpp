#pragma once

#include <string>
#include <vector>

#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// A column whose values have to be read before the first write: a plain cast may cut or round some, or some
/// may have no new value at all. What an expression of the operator's cuts is the operator's word.
struct DoubtfulColumn {
  Place place;
  std::string value;  // the new value, of the new type
  std::string is_cut; // a condition; empty: none is
};

/// Those of one table. A column that refers to another through a foreign key that the server has proved holds
/// none that its parent does not hold.
std::vector<DoubtfulColumn> doubtful_columns(const Retype& retype, const GraphTable& table);

/// One row: how many values of `where` are cut, and three of them in words as text[]. Fails where one has no
/// new value.
std::string count_cut_sql(const Retype& retype, const DoubtfulColumn& column, const std::string& heap,
                          const std::string& where);

/// Two statements for one transaction; the second returns how many values of `where` have no new value, and
/// three of them in words, as text[]. Slow: each row is tried by itself.
std::vector<std::string> count_missing_sql(const Retype& retype, const DoubtfulColumn& column,
                                           const std::string& heap, const std::string& where);

}  // namespace pgsluice::steps::retype
