#pragma once

#include "ledger/jobs.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The part of a job that the ledger compares between runs.
ledger::JobDefinition definition_of(const Job& job);

}  // namespace pgsluice::engine
