#pragma once

#include <vector>

#include "lanes/batch/batch_sql.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/plan.hpp"
#include "table/walk_choice/walk_choice.hpp"

namespace pgsluice::engine {

/// What a block walk sends, in order, for `plan`; for a partitioned table that of its first partition.
/// REQUIRES: a walk over blocks was chosen.
std::vector<PlannedStatement> block_statements(const pg::Table& table, const BackfillStep& step,
                                               const WalkedTable& walked, const BatchSql& sql,
                                               const pg::TransactionLimits& limits);

/// "interleaved over blocks, in 8 passes", or "keyset along (\"id\")".
std::string walk_in_words(const WalkedTable& walked);

}  // namespace pgsluice::engine
