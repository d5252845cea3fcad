#include "engine/preflight/preflight.hpp"

#include "engine/preflight/server_checks.hpp"
#include "kinds/backfill/backfill_checks.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/job_definition.hpp"
#include "kinds/retype/cutover/sync_state.hpp"
#include "kinds/retype/retype_checks.hpp"
#include "kinds/retype/retype_pairs.hpp"
#include "kinds/step_checks.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "pg/catalog/catalog.hpp"
#include "pg/catalog/privileges.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {
namespace {

/// What the ledger says of the job; nothing without a ledger that we can read.
ledger::JobRecord read_record(pg::Session& session, const Job& job) {
  if (!pg::missing_schema_grant(session, "pgsluice").empty() || !ledger::is_installed(session)) return {};
  return ledger::find_job(session, job.name).value_or(ledger::JobRecord{});
}

DefinitionChange check_definition(pg::Session& session, const Job& job, std::int64_t job_id,
                                  Findings& findings) {
  const auto change = read_definition_change(session, job, job_id);
  try {
    refuse_definition(job, change);
  } catch (const Error& error) {
    findings.refuse("definition", error);
  }
  for (const auto& mended : change.mended) {
    std::string message = "run writes it anew, for nothing of it stands: ";
    for (const auto& line : mended.difference) message += "\n  " + line;
    findings.inform("definition", message);
  }
  return change;
}

void check_pooler(pg::Session& session, const Job& job, const IndexStep& step, Findings& findings) {
  if (!job.direct_dsn.empty() || !pg::is_behind_pooler(session)) return;
  findings.refuse(
      "pooler",
      "index step \"" + step.name + "\" needs a session of its own, and the connection goes through a pooler",
      "give the server's own address as direct_dsn in the job file");
}

}  // namespace

std::vector<Finding> preflight(pg::Session& session, const Job& job, bool is_ledger_needed,
                               bool reads_values) {
  Findings findings;
  check_server(session, findings);
  if (!findings.worst_first().empty()) return findings.worst_first();  // nothing else could be asked there
  check_privileges(session, is_ledger_needed, findings);
  check_health(session, findings);
  const auto record = read_record(session, job);
  const auto change =
      record.job_id != 0 ? check_definition(session, job, record.job_id, findings) : DefinitionChange{};
  const auto known = [&](std::size_t place) {
    return place < record.steps.size() && !change.is_mended(place) ? record.steps[place]
                                                                   : ledger::StepRecord{};
  };

  Outlook outlook;
  std::vector<RetypeStep> unbegun;
  for (std::size_t i = 0; i < job.steps.size(); ++i) {
    const auto* begun = std::get_if<RetypeStep>(&job.steps[i]);
    if (begun && !known(i).detail.empty()) check_triggers(session, *begun, known(i), findings);
    if (known(i).state == "done") continue;
    if (const auto* sql = std::get_if<SqlStep>(&job.steps[i])) {
      check_sql_step(session, *sql, outlook, findings);
      for (const auto& statement : sql->up) outlook.add(sql->name, statement);
    }
    if (const auto* index = std::get_if<IndexStep>(&job.steps[i])) {
      check_pooler(session, job, *index, findings);
      check_index_step(session, *index, outlook, findings);
    }
    if (const auto* backfill = std::get_if<BackfillStep>(&job.steps[i])) {
      check_backfill_step(session, job, *backfill, outlook, findings);
    }
    if (const auto* retype = std::get_if<RetypeStep>(&job.steps[i])) {
      if (!known(i).detail.empty()) continue;
      check_retype_step(session, job, *retype, outlook, reads_values, findings);
      if (outlook.maker_of_any(retype->tables).empty()) unbegun.push_back(*retype);
    }
  }
  check_retypes_together(session, job, unbegun, findings);
  return findings.worst_first();
}

}  // namespace pgsluice::engine
