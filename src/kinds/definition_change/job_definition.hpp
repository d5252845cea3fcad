#pragma once

#include "kinds/definition_change/definition_change.hpp"
#include "ledger/jobs.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The part of a job that the ledger compares between runs.
ledger::JobDefinition definition_of(const Job& job);

/// How the job differs from the ledger's definition. Throws Failure.
DefinitionChange read_definition_change(pg::Session& session, const Job& job, std::int64_t job_id);

/// Throws Error(kRefused) with the difference if a step differs that has left something behind.
void refuse_definition(const Job& job, const DefinitionChange& change);

struct OpenedJob {
  ledger::JobRecord record;
  DefinitionChange change;  // what was rewritten
};

/// Throws Error(kRefused): a rollback of the job is under way.
[[noreturn]] void refuse_rolling_back(const std::string& job);

/// Finds the job by name or writes it; rewrites steps whose definition changed. Waits for orphans that still
/// work on them. Throws Error(kRefused) as above, and when another live run works on a job that changed.
OpenedJob open_job(pg::Session& session, const Job& job);

}  // namespace pgsluice::engine
