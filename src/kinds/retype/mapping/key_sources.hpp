#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

// Where the keys of new rows come from, from before the cut-over to after contract.

/// True: the new column takes over the old one's sequence, identity or default at the cut-over. False: the
/// old column keeps them, for its type is the one that they count in.
bool moves_source(const Retype& retype, const GraphColumn& column);

/// True: between cut-over and contract a row that names no key gets what the old column's own number maps to.
bool takes_key_from_old(const Retype& retype, const GraphColumn& column);

/// What an old key of a new row is made of after the cut-over, where neither the new value leads to it nor
/// the column gives it: numbers come from a sequence of ours, a text is that of the new key.
enum class OldKeys { kGivenByColumn, kFromOurSequence, kTextOfNewKey, kNone };
OldKeys old_keys_of(const Retype& retype, const GraphColumn& column);

/// What a new column's default is to be until its source is handed over, an expression; empty: none. Where
/// the old one is a constant it maps to one; roots get theirs from the operator.
std::string new_default(const Retype& retype, Place place);

/// Before the cut-over, whose locks must not wait for a session that has drawn from them: sequences that are
/// nobody's or another column's count on beyond 2^31 - 1. They stay so.
std::vector<std::string> sequences_to_widen(const Retype& retype, const GraphTable& table);

/// For the cut-over, once the columns have their new names.
std::vector<std::string> hand_over_sources(const Retype& retype, const GraphTable& table);

/// For the way back, once the columns have their old names again.
std::vector<std::string> take_back_sources(const Retype& retype, const GraphTable& table);

/// For contract, while the old columns are still there: numbers come from the same sequence ever after.
std::vector<std::string> settle_sources(const Retype& retype, const GraphTable& table);

}  // namespace pgsluice::steps::retype
