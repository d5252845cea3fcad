#pragma once

#include <cstdint>

#include "kinds/kind/undoing.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads from ledger and catalog what the steps have done. Changes nothing. Throws Failure.
RollbackSurvey survey_rollback(pg::Session& session, const Job& job, std::int64_t job_id);

}  // namespace pgsluice::engine
