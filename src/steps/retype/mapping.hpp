#pragma once

#include <string>

#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

// How a new value is made of an old one, and an old one of a new one.

/// True: the new value follows from the old one alone, so parents and children are filled independently of
/// each other, and a CHECK proves every row. False: it is drawn once for the root and looked up from there.
bool is_by_value(const RetypeStep& step);
/// True: after the cut-over the old value follows from the new one (bigint to integer). False: it is looked
/// up, and a root's comes from its old default (uuid to integer).
bool is_back_by_value(const RetypeStep& step);

/// The new value of the column at `place`, as an expression over the table's columns, each with `row` before
/// it: empty in SQL over the table, `NEW.` in its triggers.
std::string new_value(const Retype& retype, Place place, const std::string& row);

/// What a constant in the place of the column maps to: for defaults.
std::string new_value_of(const Retype& retype, Place place, const std::string& value);

/// After the cut-over: the old value of the column at `place`, for its trigger (`NEW.`). For roots only where
/// is_back_by_value.
std::string old_value(const Retype& retype, Place place);

/// After the cut-over: UPDATE of the references at `place` that are not what the new ones mean, with what
/// their roots say, for the parents in between may wait for theirs too. The table's name in it is
/// pgsluice_row.
std::string put_right(const Retype& retype, Place place);

}  // namespace pgsluice::steps::retype
