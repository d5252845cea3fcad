#pragma once

#include <vector>

#include "engine/batch.hpp"
#include "pg/catalog.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// What a backfill step sends once, before its batches: the check of its statement, the sample that cuts the
/// table into ranges, the table's highest key.
std::vector<PlannedStatement> preparing_statements(const pg::Table& table, const BackfillStep& step,
                                                   const walk::Keyset& keyset);

/// What one batch sends, in order, with every shape that its statements can have. Key values are parameters;
/// the numbers in the last statement are those of some batch.
std::vector<PlannedStatement> batch_statements(const pg::Table& table, const BackfillStep& step,
                                               const walk::Keyset& keyset,
                                               const pg::TransactionLimits& limits, std::int64_t rows);

}  // namespace pgsluice::engine
