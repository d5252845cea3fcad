#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// A column whose values have to be read before the first write: a plain cast may cut or round some, or some
/// may have no new value at all. If the operator's own expression cuts values, that is what the operator
/// asked for.
struct DoubtfulColumn {
  Place place;
  std::string value;       // the new value, of the new type
  std::string is_cut;      // a condition; empty: no value is cut
  std::string is_missing;  // a condition, besides errors; empty: no value is missing
};

/// Those of one table. A column that refers to another by itself, through a foreign key that the server has
/// validated, is left out: it holds no value that its parent does not hold.
std::vector<DoubtfulColumn> doubtful_columns(const Retype& retype, const GraphTable& table);

/// One row: how many values within `where` are cut, three of them in words as text[], and the same for those
/// without a new value. Fails if the server raises an error for a value.
std::string count_lost_sql(const Retype& retype, const DoubtfulColumn& column, const std::string& heap,
                           const std::string& where);

/// Two statements for one transaction; the second returns the same row. Slow, but never fails because of a
/// value: each row is tried separately.
std::vector<std::string> count_lost_one_by_one_sql(const Retype& retype, const DoubtfulColumn& column,
                                                   const std::string& heap, const std::string& where);

}  // namespace pgsluice::steps::retype
