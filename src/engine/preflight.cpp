#include "engine/preflight.hpp"

#include "engine/findings.hpp"
#include "engine/job_definition.hpp"
#include "engine/outlook.hpp"
#include "engine/retype_checks.hpp"
#include "engine/retype_pairs.hpp"
#include "engine/server_checks.hpp"
#include "engine/step_checks.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "pg/catalog.hpp"
#include "pg/privileges.hpp"

namespace pgsluice::engine {
namespace {

/// What the ledger says of the job; nothing without a ledger that we can read.
ledger::JobRecord read_record(pg::Session& session, const Job& job) {
  if (!pg::missing_schema_grant(session, "pgsluice").empty() || !ledger::is_installed(session)) return {};
  return ledger::find_job(session, job.name).value_or(ledger::JobRecord{});
}

void check_definition(pg::Session& session, const Job& job, Findings& findings) {
  const auto lines = ledger::definition_difference(session, definition_of(job));
  if (lines.empty()) return;
  std::string message = "job \"" + job.name + "\" exists with another definition";
  for (const auto& line : lines) message += "\n  " + line;
  findings.refuse("definition", message, "give the new definition another name, or restore the old text");
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
  if (record.job_id != 0) check_definition(session, job, findings);

  Outlook outlook;
  std::vector<RetypeStep> unbegun;
  for (std::size_t i = 0; i < job.steps.size(); ++i) {
    if (i < record.steps.size() && record.steps[i].state == "done") continue;
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
      const auto detail = i < record.steps.size() ? record.steps[i].detail : "";
      if (!detail.empty()) continue;
      check_retype_step(session, job, *retype, outlook, reads_values, findings);
      if (outlook.maker_of_any(retype->tables).empty()) unbegun.push_back(*retype);
    }
  }
  check_retypes_together(session, job, unbegun, findings);
  return findings.worst_first();
}

}  // namespace pgsluice::engine
