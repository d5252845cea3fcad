#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// A column whose values have to be read before the first write: a plain cast may cut or round some, or some
/// may have no new value at all. What an expression of the operator's cuts is the operator's word.
struct DoubtfulColumn {
  Place place;
  std::string value;       // the new value, of the new type
  std::string is_cut;      // a condition; empty: none is
  std::string is_missing;  // a condition besides errors; empty: none is
};

/// Those of one table. A column that refers to another through a foreign key of its own, proved by the
/// server, holds none that its parent does not hold.
std::vector<DoubtfulColumn> doubtful_columns(const Retype& retype, const GraphTable& table);

/// One row: how many values of `where` are cut, three of them in words as text[], and the same of those that
/// have no new value. Fails where the server has none to give.
std::string count_lost_sql(const Retype& retype, const DoubtfulColumn& column, const std::string& heap,
                           const std::string& where);

/// Two statements for one transaction; the second returns the same row. Slow, and never fails because of a
/// value: each row is tried by itself.
std::vector<std::string> count_lost_one_by_one_sql(const Retype& retype, const DoubtfulColumn& column,
                                                   const std::string& heap, const std::string& where);

}  // namespace pgsluice::steps::retype
