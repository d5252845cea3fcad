#include "kinds/retype/run_retype.hpp"

#include "base/failpoint.hpp"
#include "kinds/acts/run_acts.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/readiness.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "kinds/retype/cutover/removal.hpp"
#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/look_beforehand.hpp"
#include "ledger/acts.hpp"
#include "ledger/objects.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
namespace rt = steps::retype;

namespace {

/// Removes our objects from tables that have left the graph since the retype began, and makes missing ones
/// again.
void tidy_up(pg::Session& session, const RetypeStep& step, std::int64_t step_id) {
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  refuse_other_columns(session, retype, step_id);
  pg::in_transaction(session, {steps::kDdlLockTimeout, std::chrono::milliseconds{0}, true}, [&] {
    for (const auto& name : names_left_behind(session, retype, step_id))
      ledger::forget_acts_naming(session, step_id, name);
    for (const auto& twin : rt::names_of_missing_twins(session, retype))
      ledger::forget_acts_naming(session, step_id, twin);
    take_away_left_behind(session, step, retype, step_id, "column");
    return true;
  });
}

std::vector<OpenedAct> open_retype(pg::Session& session, const RetypeStep& step, std::int64_t step_id,
                                   bool is_begun) {
  if (is_begun) tidy_up(session, step, step_id);
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  // Written before the first object is made: what is not in the ledger is never removed.
  pg::in_transaction(session, {}, [&] {
    if (!is_begun) ledger::forget_objects(session, step_id);
    note_objects(session, retype, step_id);
    return true;
  });
  return open_acts(session, step.name, step_id, rt::acts_before_cutover(retype));
}

/// False if an index, a constraint or a table was added or removed after the step was ready: then it begins
/// again.
bool is_still_ready(pg::Session& session, const RetypeStep& step, std::int64_t step_id) {
  const auto retype = read_retype(session, step, owner_of(session, step_id));
  refuse_other_columns(session, retype, step_id);
  if (rt::missing_twins(session, retype).empty() && tables_left_behind(session, retype, step_id).empty())
    return true;
  return !ledger::move_retype(session, step_id, RetypeDetail::kReady, RetypeDetail::kBegun,
                              StepState::kRunning);
}

/// Does not overwrite what another run, a cut-over or a rollback did to the step since it was read.
void begin_retype(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record) {
  const auto move = [&](const std::string& from) {
    return ledger::move_retype(session, record.step_id, from, RetypeDetail::kBegun, StepState::kRunning);
  };
  if (move(record.detail) || move(RetypeDetail::kBegun)) return;
  throw Error(ExitCode::kRefused, "step \"" + step.name + "\" was just changed by another run or an operator",
              "run again");
}

/// True if every act is done, in this run or an earlier one.
asio::awaitable<bool> is_ready(RunningStep& step, const RetypeStep& retype) {
  std::function<bool(pg::Session&)> look = [retype, id = step.record.step_id](pg::Session& s) {
    return is_still_ready(s, retype, id);
  };
  return keep_trying<bool>(step.connection, look, step.journal, step.stop);
}

asio::awaitable<void> make_ready(RunningStep& step, const RetypeStep& retype) {
  const auto& record = step.record;
  if (record.detail.empty() && !step.is_rehearsed) co_await look_beforehand(step, retype);
  if (step.stop.is_requested()) co_return;
  std::function<std::vector<OpenedAct>(pg::Session&)> open = [retype, record](pg::Session& s) {
    auto opened = open_retype(s, retype, record.step_id, record.detail == RetypeDetail::kBegun);
    begin_retype(s, retype, record);
    return opened;
  };
  auto acts = co_await keep_trying<std::vector<OpenedAct>>(step.connection, open, step.journal, step.stop);
  co_await run_acts(step, std::move(acts));
  step.states.show(record.name, record.kind);
  if (step.stop.is_requested()) co_return;
  std::function<bool(pg::Session&)> ready = [id = record.step_id](pg::Session& s) {
    return ledger::move_retype(s, id, RetypeDetail::kBegun, RetypeDetail::kReady, StepState::kRunning);
  };
  co_await keep_trying<bool>(step.connection, ready, step.journal, step.stop);
  base::failpoint("retype_ready");
  step.journal.write(event::State{"running", RetypeDetail::kReady, "the server has proved every row"});
}

asio::awaitable<void> cut_over(RunningStep& step, const RetypeStep& retype) {
  // The act writes to the event log itself; it may call the sink from its thread.
  std::function<bool(pg::Session&)> exchange = [retype, id = step.record.step_id, job = step.job.name,
                                                run = step.run_id, &sink = step.sink](pg::Session& s) {
    const std::function<void(EventBody)> tell = [&](EventBody body) {
      Event event;
      event.job = job;
      event.run_id = run;
      event.body = std::move(body);
      sink.publish(std::move(event));
    };
    cut_over_step(s, job, retype, id, tell);
    return true;
  };
  co_await keep_trying<bool>(step.connection, exchange, step.journal, step.stop);
}

}  // namespace

asio::awaitable<void> run_retype(RunningStep& step, RetypeStep retype) {
  auto& detail = step.record.detail;
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, !detail.empty(), 0});
  if (detail == RetypeDetail::kReady) {
    if (!co_await is_ready(step, retype)) detail = RetypeDetail::kBegun;
    if (step.stop.is_requested()) co_return;
  }
  if (detail != RetypeDetail::kReady) co_await make_ready(step, retype);
  if (step.stop.is_requested()) co_return;
  if (retype.is_cutover_auto) co_return co_await cut_over(step, retype);
  step.stop.request(StopCause::kReadyForCutover,
                    "old and new columns of step \"" + step.record.name +
                        "\" are in step; the cut-over waits for you: pgsluice cutover " + step.job.name);
}

}  // namespace pgsluice::engine
