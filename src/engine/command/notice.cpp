#include "engine/command/notice.hpp"

#include "engine/command/rollback_survey.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/definition/retype_definition.hpp"
#include "kinds/retype/retype_kind.hpp"
#include "kinds/table_of_kinds.hpp"
#include "ledger/acts.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"

namespace pgsluice::engine {
namespace {

using Lines = std::vector<std::string>;

/// The retype steps of the job that are at `detail`.
std::vector<RetypeStep> retypes_at(pg::Session& session, const std::string& job, const std::string& detail) {
  std::vector<RetypeStep> out;
  if (!ledger::is_installed(session)) return out;
  for (const auto& record : ledger::find_retypes(session, job)) {
    if (record.detail == detail) out.push_back(retype_of_definition(record.definition));
  }
  return out;
}

std::string of_step(const std::string& name) {
  return "step \"" + name + "\": ";
}

}  // namespace

std::vector<std::string> cutover_notice(pg::Session& session, const std::string& job) {
  Lines lines;
  for (const auto& step : retypes_at(session, job, RetypeDetail::kReady))
    lines.push_back(of_step(step.name) + "old and new columns of " + tables_in_words(step) +
                    " exchange names in one transaction; from then on the application sees type " + step.to);
  if (!lines.empty()) lines.push_back("until contract this can be undone: pgsluice rollback");
  return lines;
}

std::vector<std::string> contract_notice(pg::Session& session, const std::string& job) {
  Lines lines;
  for (const auto& step : retypes_at(session, job, RetypeDetail::kCutOver))
    lines.push_back(of_step(step.name) + "the old columns of " + tables_in_words(step) +
                    " are dropped, with the triggers that keep them in step");
  if (!lines.empty())
    lines.push_back("this cannot be undone: there is no way back to the old type afterwards");
  return lines;
}

std::vector<std::string> rollback_notice(pg::Session& session, const Job& job) {
  Lines lines;
  const auto record = ledger::is_installed(session) ? ledger::find_job(session, job.name) : std::nullopt;
  if (!record) return lines;
  const auto survey = survey_rollback(session, job, record->job_id);
  if (!survey.obstacles.empty()) return lines;
  for (const auto& act : survey.acts) {
    const Step& step = job.steps[act.place];
    for (const auto& line : kind_of(step)->undoing_in_words(act, record->steps[act.place].detail))
      lines.push_back(of_step(step.name()) + line);
  }
  for (const auto& remark : survey.remarks) lines.push_back(remark);
  if (!lines.empty()) lines.push_back("values in columns and tables that are dropped cannot be restored");
  return lines;
}

}  // namespace pgsluice::engine
