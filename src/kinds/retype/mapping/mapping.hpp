#pragma once

#include <string>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// The largest number of 48 bits, which is what a uuid of `embed` holds.
inline constexpr const char* kEmbedMax = "281474976710655";

// How a new value is made of an old one, and an old one of a new one.

/// True: the new value follows from the old one alone, so parents and children are filled independently of
/// each other, and a CHECK proves every row. False: it is drawn once for the root and looked up from there.
bool is_by_value(const RetypeStep& step);
/// True: without an expression of the operator's.
bool is_plain_cast(const RetypeStep& step);
/// True: after the cut-over the old value follows from the new one (bigint to integer). False: it is looked
/// up, and a root's comes from its old default (uuid to integer).
bool is_back_by_value(const RetypeStep& step);

/// The new value of the column at `place`, as an expression over the table's columns, each with `row` before
/// it: empty in SQL over the table, `NEW.` in its triggers. To be stored in the new column, and not to be
/// compared: storing gives it the type, and refuses what would be cut.
std::string new_value(const Retype& retype, Place place, const std::string& row);
/// The same as a value of the new type, to be compared. Of what could be stored, it is the very same value.
std::string new_value_exactly(const Retype& retype, Place place);
/// A condition: the old value does not survive a plain cast whole. By equality where the type has one: 1.0
/// that comes back as 1 is whole. Empty: it always does, or an expression of the operator's says what it
/// becomes. NULL counts as whole.
std::string cut_condition(const Retype& retype, Place place, const std::string& row);
/// True: for some old values there is no new one. Then storing it is an error of the server's.
bool may_lack_new_value(const Retype& retype, Place place);
/// True: for some new values, written after the cut-over, there is no old one.
bool may_lack_old_value(const Retype& retype, Place place);

/// After the cut-over. True: the old column takes no NOT NULL along, and needs it for the way back.
bool is_tightened(const GraphColumn& column);

/// True: between cut-over and way back the old column may be without a value, whatever it was before.
bool is_loosened(const Retype& retype, const GraphTable& table, const GraphColumn& column);

/// True for the very same value, byte by byte, NULL included. Equality would not do: 1.0 = 1.00, citext 'a' =
/// 'A', and json has none.
std::string is_identical(const std::string& left, const std::string& right);

/// What a constant, or a call, in the place of the column maps to: for defaults. To be stored.
std::string new_value_of(const Retype& retype, Place place, const std::string& value);

/// After the cut-over: the old value of the column at `place`. For roots only where is_back_by_value; where
/// not, `row` is `NEW.`. To be stored, as new_value.
std::string old_value(const Retype& retype, Place place, const std::string& row);
/// A condition: the old value, stored, leads to the new one again, so that nothing was cut or rounded. Empty:
/// it always does, or the operator's own expressions say what means what.
std::string is_kept_by_old_value(const Retype& retype, Place place, const std::string& row);

/// After the cut-over, where is_back_by_value: UPDATE of the rows whose old value is neither what the new one
/// gives nor what the new one was made of. A trigger that was switched off for a while has left it so. Empty
/// where expressions of the operator's say what means what: they may fail on values that they never met; and
/// where no UPDATE may touch the old column.
std::string put_right_by_value(const Retype& retype, Place place);

/// After the cut-over: UPDATE of the references at `place` that are not what the new ones mean, with what
/// their roots say, for the parents in between may wait for theirs too. The table's name in it is
/// pgsluice_row.
std::string put_right(const Retype& retype, Place place);

}  // namespace pgsluice::steps::retype
