#pragma once

#include <chrono>
#include <cstdint>

#include "kinds/retype/graph/retype.hpp"
#include "pg/connection/session.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Counting orphans reads a whole table. Where 10 minutes are not enough, VALIDATE CONSTRAINT is the better
/// way: it is needed only once.
constexpr pg::TransactionLimits kCountLimits{std::chrono::milliseconds{1'000},
                                             std::chrono::milliseconds{600'000}, true};

/// Queries of the catalog.
constexpr pg::TransactionLimits kCatalogLimits{std::chrono::milliseconds{1'000},
                                               std::chrono::milliseconds{30'000}, true};

/// After whom the objects of a retype are named, from the ledger.
steps::retype::Owner owner_of(pg::Session& session, std::int64_t step_id);

/// A retype as the catalog shows it now. Takes short locks only; throws Error(kRefused) if a table or its key
/// is missing, Failure 55P03 if somebody holds a lock on a table.
steps::retype::Retype read_retype(pg::Session& session, const RetypeStep& step,
                                  const steps::retype::Owner& owner);

/// The same in the caller's transaction.
steps::retype::Retype read_retype_inside(pg::Session& session, const RetypeStep& step,
                                         const steps::retype::Owner& owner);

}  // namespace pgsluice::engine
