#pragma once

#include "lanes/foretelling/sampled.hpp"
#include "pgsluice/foretold.hpp"
#include "table/estimate.hpp"

namespace pgsluice::engine {

/// What a fill will cost, from batches that were sampled. REQUIRES: is_enough(sampled). Pure.
Foretold forecast(const Sampled& sampled);

/// Enough batches of each kind, with enough changed rows, to say more than the catalog does.
bool is_enough(const Sampled& sampled);

/// What it will cost by the catalog alone: wide ranges. `why`: no batch was sampled because … Pure.
Foretold forecast_by_catalog(const Estimate& estimate, double rows_changed, const std::string& why);

}  // namespace pgsluice::engine
