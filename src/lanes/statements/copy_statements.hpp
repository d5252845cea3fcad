#pragma once

#include <cstdint>
#include <vector>

#include "pg/connection/transaction.hpp"
#include "pgsluice/plan.hpp"
#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// What a copy sends to both servers, in order, in every shape that its statements can have. $1, $2, … stand
/// for key values: parameters in the statements that find a batch's end, constants in COPY, which takes none.
std::vector<PlannedStatement> copy_statements(const Copying& copying, const pg::TransactionLimits& limits,
                                              std::int64_t rows);

}  // namespace pgsluice::engine
