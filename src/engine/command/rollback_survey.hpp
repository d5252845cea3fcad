#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What has to be done for one step.
struct RollbackAct {
  std::size_t place = 0;
  std::int64_t step_id = 0;
  std::vector<std::string> down;  // in one transaction with the ledger's note
  std::string index_sql;          // to be dropped; empty: none
  std::string table_sql;          // that index's table
};

/// What a rollback would do now.
struct RollbackSurvey {
  std::vector<RollbackAct> acts;       // in the order of undoing: last step first
  std::vector<std::string> obstacles;  // why it cannot be; empty: it can
  std::vector<std::string> remarks;    // what stays although a step made sure of it
};

/// Reads what the steps have done from ledger and catalog. Changes nothing. Throws Failure.
RollbackSurvey survey_rollback(pg::Session& session, const Job& job, std::int64_t job_id);

}  // namespace pgsluice::engine
