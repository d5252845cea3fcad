#pragma once

#include <string>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// The largest number of 48 bits, which is what a uuid of `embed` can hold.
inline constexpr const char* kEmbedMax = "281474976710655";

// How a new value is made from an old one, and an old one from a new one.

/// True: the new value follows from the old one alone, so parents and children are filled independently, and
/// a CHECK proves every row. False: it is drawn once for the root and looked up from there.
bool is_by_value(const RetypeStep& step);
/// True: the operator gave no expression.
bool is_plain_cast(const RetypeStep& step);
/// True: after the cut-over the old value follows from the new one (bigint to integer). False: it is looked
/// up, and a root's comes from its old default (uuid to integer).
bool is_back_by_value(const RetypeStep& step);

/// The new value of the column at `place`, as an expression over the table's columns, each prefixed with
/// `row`: empty in SQL over the table, `NEW.` in its triggers. For storing in the new column, not for
/// comparing: storing gives it the type, and refuses what would be cut.
std::string new_value(const Retype& retype, Place place, const std::string& row);
/// The same as a value of the new type, for comparing. Where it can be stored, it is the very same value.
std::string new_value_exactly(const Retype& retype, Place place);
/// A condition: the old value does not survive a plain cast whole. Uses equality where the type has it: 1.0
/// that comes back as 1 is whole. Empty: it always survives, or the operator's expression says what it
/// becomes. NULL counts as whole.
std::string cut_condition(const Retype& retype, Place place, const std::string& row);
/// True: some old values have no new one, and storing them is an error of the server.
bool may_lack_new_value(const Retype& retype, Place place);
/// True: some new values, written after the cut-over, have no old one.
bool may_lack_old_value(const Retype& retype, Place place);

/// After the cut-over. True: the old column lacks NOT NULL, and needs it for the way back.
bool is_tightened(const GraphColumn& column);

/// True: between cut-over and way back the old column may be NULL, whatever it was before.
bool is_loosened(const Retype& retype, const GraphTable& table, const GraphColumn& column);

/// True for the very same value, byte for byte, NULL included. Equality would not do: 1.0 = 1.00, citext 'a'
/// = 'A', and json has none.
std::string is_identical(const std::string& left, const std::string& right);

/// What a constant or a call maps to when it stands in the column's place: for defaults. For storing.
std::string new_value_of(const Retype& retype, Place place, const std::string& value);

/// After the cut-over: the old value of the column at `place`. For roots only if is_back_by_value; if not,
/// `row` is `NEW.`. For storing, like new_value.
std::string old_value(const Retype& retype, Place place, const std::string& row);
/// A condition: the old value, once stored, leads back to the new one, so nothing was cut or rounded. Empty:
/// it always does, or the operator's own expressions define both directions.
std::string is_kept_by_old_value(const Retype& retype, Place place, const std::string& row);

/// After the cut-over, if is_back_by_value: UPDATE of the rows whose old value is neither what the new one
/// gives nor what the new one was made from, because a trigger was switched off for a while. Empty where the
/// operator's expressions define the values, since they may fail on values that they have never met; and
/// where no UPDATE may touch the old column.
std::string put_right_by_value(const Retype& retype, Place place);

/// After the cut-over: UPDATE of the old references at `place` that do not match the new ones. Takes the
/// values from their roots, as the parents in between may still wait for theirs. The table's alias in it is
/// pgsluice_row.
std::string put_right(const Retype& retype, Place place);

}  // namespace pgsluice::steps::retype
