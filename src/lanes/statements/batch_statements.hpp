#pragma once

#include <vector>

#include "lanes/batch/batch.hpp"
#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"
#include "table/walk_choice/walk_choice.hpp"

namespace pgsluice::engine {

/// What a backfill step sends, in order: once before its batches, and with each batch, in every shape that
/// its statements can have. Key values are parameters; the numbers in a batch's last statement are examples.
std::vector<PlannedStatement> backfill_statements(const pg::Table& table, const BackfillStep& step,
                                                  const WalkedTable& walked, const BatchSql& sql,
                                                  const pg::TransactionLimits& limits, std::int64_t rows);

/// The same without its check of expressions, for a step that deletes rows too; its key, walk and `where` are
/// those of `step`.
std::vector<PlannedStatement> walk_statements(const pg::Table& table, const BackfillStep& step,
                                              const WalkedTable& walked, const BatchSql& sql,
                                              const pg::TransactionLimits& limits, std::int64_t rows);

/// What ends a batch in which a trigger or rule left a selected row unchanged.
PlannedStatement planned_note(std::int64_t rows);

}  // namespace pgsluice::engine
