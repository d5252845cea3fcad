#include "engine/command/verification.hpp"

#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/cutover/sync_state.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/questions.hpp"

#include "kinds/verify/verify.hpp"
#include "ledger/jobs.hpp"
#include "ledger/overview.hpp"
#include "ledger/schema.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

std::int64_t quarantined_rows(pg::Session& session, const ledger::JobRecord& record,
                              const std::string& step) {
  for (const auto& known : record.steps) {
    if (known.name == step) return ledger::step_counts(session, known.step_id).quarantined;
  }
  return 0;
}

VerifyResult ask(pg::Session& session, const VerifyStep& step) {
  VerifyResult result{step.name, step.expect, steps::verify_value(session, step.name, step.query), false};
  result.matches = result.actual == result.expected;
  return result;
}

VerifyResult count_left(pg::Session& session, const BackfillStep& step, std::int64_t quarantined) {
  const auto table_sql = pg::Identifier(step.table.schema, step.table.name).sql();
  const auto query = "SELECT count(*) FROM " + table_sql + " WHERE (" + step.where + "\n)";
  VerifyResult result{step.name, quarantined == 0 ? "0" : "at most " + std::to_string(quarantined), "",
                      false};
  result.actual = steps::verify_value(session, step.name, query);
  result.matches = std::stoll(result.actual) <= quarantined;
  return result;
}

void ask_for_triggers(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record,
                      std::vector<VerifyResult>& results) {
  if (record.detail == RetypeDetail::kContracted) return;
  std::string found;
  for (const auto& wrong : wrong_triggers(session, step, record))
    found += (found.empty() ? "" : "; ") + wrong;
  const std::string expected = "as they were made";
  results.push_back(
      {step.name + ": sync triggers", expected, found.empty() ? expected : found, found.empty()});
}

/// Each count must be 0. A retype that has not begun, or whose fill is not over, has nothing to prove yet.
void ask_retype(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record,
                std::vector<VerifyResult>& results) {
  const auto& detail = record.detail;
  if (detail != RetypeDetail::kReady && detail != RetypeDetail::kCutOver &&
      detail != RetypeDetail::kContracted)
    return;
  ask_for_triggers(session, step, record, results);
  const auto retype = read_retype(session, step, owner_of(session, record.step_id));
  const auto questions = detail == RetypeDetail::kReady     ? steps::retype::questions_before_cutover(retype)
                         : detail == RetypeDetail::kCutOver ? steps::retype::questions_after_cutover(retype)
                                                            : steps::retype::questions_after_contract(retype);
  for (const auto& question : questions) {
    VerifyResult result{step.name + ": " + question.what, "0", "", false};
    result.actual = steps::verify_value(session, step.name, question.query);
    result.matches = result.actual == result.expected;
    results.push_back(std::move(result));
  }
}

}  // namespace

std::vector<VerifyResult> verify_job(pg::Session& session, const Job& job) {
  ledger::JobRecord record;
  if (ledger::is_installed(session))
    record = ledger::find_job(session, job.name).value_or(ledger::JobRecord{});
  std::vector<VerifyResult> results;
  for (const auto& step : job.steps) {
    if (const auto* verify = std::get_if<VerifyStep>(&step)) results.push_back(ask(session, *verify));
    if (const auto* retype = std::get_if<RetypeStep>(&step)) {
      for (const auto& stored : record.steps) {
        if (stored.name == retype->name) ask_retype(session, *retype, stored, results);
      }
    }
    const auto* backfill = std::get_if<BackfillStep>(&step);
    if (backfill && !backfill->where.empty()) {
      results.push_back(count_left(session, *backfill, quarantined_rows(session, record, backfill->name)));
    }
  }
  return results;
}

}  // namespace pgsluice::engine
