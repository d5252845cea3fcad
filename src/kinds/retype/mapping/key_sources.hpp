#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

// Where the keys of new rows come from, at every time from before the cut-over to after contract.

/// True: the new column takes over the old one's sequence, identity or default at the cut-over. False: the
/// old column keeps them, as they count in its type.
bool moves_source(const Retype& retype, const GraphColumn& column);

/// True: between cut-over and contract a row without a key gets what the old column's own number maps to.
bool takes_key_from_old(const Retype& retype, const GraphColumn& column);

/// Where a new row's old key comes from after the cut-over, if neither the new value determines it nor the
/// column gives it: numbers come from a sequence of ours, a text is that of the new key.
enum class OldKeys { kGivenByColumn, kFromOurSequence, kTextOfNewKey, kNone };
OldKeys old_keys_of(const Retype& retype, const GraphColumn& column);

/// The new column's default until its source is handed over, as an expression; empty: none. It maps the old
/// column's default; roots may get theirs from the operator.
std::string new_default(const Retype& retype, Place place);

/// Sequences that no column or another column owns and that have to count beyond 2^31 - 1. They are widened
/// before the cut-over, whose locks must not wait for a session that has drawn from them, and stay so.
std::vector<std::string> sequences_to_widen(const Retype& retype, const GraphTable& table);

/// For the cut-over, after the columns have been renamed.
std::vector<std::string> hand_over_sources(const Retype& retype, const GraphTable& table);

/// For the way back, after the columns have their old names again.
std::vector<std::string> take_back_sources(const Retype& retype, const GraphTable& table);

/// For contract, while the old columns still exist: numbers keep coming from the same sequence.
std::vector<std::string> settle_sources(const Retype& retype, const GraphTable& table);

}  // namespace pgsluice::steps::retype
