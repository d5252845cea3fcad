#include "kinds/retype/cutover/sync_state.hpp"

#include <set>

#include "kinds/kind/one_value.hpp"
#include "kinds/retype/acts/trigger_state.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/mapping/questions.hpp"
#include "ledger/objects.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

namespace rt = steps::retype;

namespace {

constexpr const char* kTriggersHint =
    "ALTER TABLE … ENABLE ALWAYS TRIGGER …, and pgsluice verify finds the rows that were written while it "
    "was "
    "off; if it is gone, pgsluice rollback, then run again";

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : "; ") + word;
  return out;
}

/// Tables on which the retype has created its triggers: a child that was added later and a detached partition
/// have none until the next run.
std::set<std::uint32_t> tables_with_triggers(pg::Session& session, const rt::Retype& retype,
                                             std::int64_t step_id) {
  std::set<std::uint32_t> out;
  for (const auto& object : ledger::read_objects(session, step_id)) {
    if (object.kind == "table") out.insert(object.table_oid);
  }
  if (!out.empty()) return out;
  for (const auto& table : retype.graph.tables)
    out.insert(table.oid);  // begun by an older program, which noted nothing
  return out;
}

std::string complaint(const RetypeStep& step, const std::vector<std::string>& wrong) {
  return "columns of step \"" + step.name + "\" are not kept in step: " + joined(wrong);
}

}  // namespace

std::vector<std::string> wrong_triggers(pg::Session& session, const RetypeStep& step,
                                        const ledger::StepRecord& record) {
  const auto& detail = record.detail;
  auto stage = rt::SyncStage::kExpanding;
  if (detail == RetypeDetail::kReady) stage = rt::SyncStage::kReady;
  if (detail == RetypeDetail::kCutOver) stage = rt::SyncStage::kCutOver;
  if (stage == rt::SyncStage::kExpanding && detail != RetypeDetail::kBegun) return {};
  const auto retype = read_retype(session, step, owner_of(session, record.step_id));
  return rt::triggers_not_as_made(session, retype, stage,
                                  tables_with_triggers(session, retype, record.step_id));
}

void check_triggers(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record,
                    Findings& findings) {
  std::vector<std::string> wrong;
  try {
    wrong = wrong_triggers(session, step, record);
  } catch (const Error&) {
    return;  // a table is gone: the step itself says so if it has anything left to do
  }
  if (!wrong.empty()) findings.refuse("triggers", complaint(step, wrong), kTriggersHint);
}

void require_triggers(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record) {
  const auto wrong = wrong_triggers(session, step, record);
  if (!wrong.empty()) throw Error(ExitCode::kRefused, complaint(step, wrong), kTriggersHint);
}

void require_pairs(pg::Session& session, const RetypeStep& step, const rt::Retype& retype) {
  std::vector<std::string> wrong;
  for (const auto& question : rt::questions_at_cutover(retype)) {
    const auto found = steps::verify_value(session, step.name, question.query);
    if (found != "0") wrong.push_back(found + " " + question.what);
  }
  if (wrong.empty()) return;
  throw Error(ExitCode::kRefused, "step \"" + step.name + "\" is not ready for cut-over: " + joined(wrong),
              "they were written while a sync trigger was switched off: with the triggers on, set the new "
              "columns of these rows to NULL; or pgsluice rollback, then run again");
}

std::string marks_of_proof(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record) {
  const auto retype = read_retype(session, step, owner_of(session, record.step_id));
  auto marks = steps::retype::trigger_marks(session, retype);
  require_triggers(session, step, record);
  require_pairs(session, step, retype);
  return marks;
}

std::function<void(const steps::retype::Retype&)> refuse_other_marks(pg::Session& session,
                                                                     const RetypeStep& step,
                                                                     const std::string& marks) {
  return [&session, name = step.name, marks](const steps::retype::Retype& retype) {
    if (steps::retype::trigger_marks(session, retype) == marks) return;
    throw Error(ExitCode::kRefused, "a sync trigger of step \"" + name + "\" has just been altered",
                "run pgsluice cutover again: it compares the rows again");
  };
}

}  // namespace pgsluice::engine
