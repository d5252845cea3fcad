#pragma once

#include "lanes/foretelling/sampled.hpp"

namespace pgsluice::engine {

/// How many leaves one leaf becomes that is `fill` full when `added` new entries per old one arrive, give or
/// take the spread of chance: a leaf that overflows splits in two halves. `entries`: that a full leaf holds.
/// Pure.
double leaves_after(double fill, double added, double entries);

/// Bytes by which an index grows when `rows` rows get a new entry. `cluster_share`: the share of the table in
/// which these rows lie. `sampled_rows`: that got an entry while its growth was watched. Pure.
double index_growth(const IndexShape& index, double rows, double cluster_share, double sampled_rows);

}  // namespace pgsluice::engine
