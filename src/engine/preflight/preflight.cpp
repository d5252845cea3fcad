#include "engine/preflight/preflight.hpp"

#include "engine/preflight/backup_checks.hpp"
#include "engine/preflight/server_checks.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "kinds/steps_of_job.hpp"
#include "pg/catalog/privileges.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {
namespace {

DefinitionChange check_definition(pg::Session& session, const Job& job, std::int64_t job_id,
                                  Findings& findings) {
  const auto change = read_definition_change(session, job, job_id);
  try {
    refuse_definition(job, change);
  } catch (const Error& error) {
    findings.refuse("definition", error);
  }
  for (const auto& mended : change.mended) {
    std::string message =
        "run replaces the definition, because the old one has changed nothing that remains: ";
    for (const auto& line : mended.difference) message += "\n  " + line;
    findings.inform("definition", message);
  }
  return change;
}

}  // namespace

std::vector<Finding> preflight(pg::Session& session, const Job& job, bool is_ledger_needed,
                               bool reads_values) {
  Findings findings;
  check_server(session, findings);
  if (!findings.worst_first().empty()) return findings.worst_first();  // nothing else can be checked there
  check_privileges(session, is_ledger_needed, findings);
  check_health(session, findings);
  check_backups(session, findings);
  // check_privileges() reports a role that may not read the ledger.
  const bool may_read = pg::missing_schema_grant(session, "pgsluice").empty();
  const auto record = may_read ? read_job_record(session, job.name) : ledger::JobRecord{};
  const auto change =
      record.job_id != 0 ? check_definition(session, job, record.job_id, findings) : DefinitionChange{};
  StepsOfJob steps(session, job, record);
  steps.expect_repetition();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (change.is_mended(i)) steps.forget(i);
    const auto at = steps.at(i);
    steps.kind(i).check_begun(at, findings);
    if (at.record().state != StepState::kDone) steps.kind(i).check(at, reads_values, findings);
  }
  return findings.worst_first();
}

}  // namespace pgsluice::engine
