#include "telling/step/step_states.hpp"

#include "base/failpoint.hpp"
#include "ledger/overview.hpp"
#include "ledger/step/gone_step.hpp"
#include "ledger/undo.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outage.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

std::string step_outcome(const std::exception_ptr& error, const Stop& stop) {
  if (is_cut_short(error, stop)) return "interrupted";
  if (error) return "failed";
  if (!stop.is_requested()) return "done";
  return stop.cause() == StopCause::kReadyForCutover ? "ready for cut-over" : "interrupted";
}

void StepStates::show(const std::string& name, const std::string& kind) {
  at_.in_work.name = name;
  at_.in_work.kind = kind;
  at_.in_work.behind.reset();
}

asio::awaitable<StepInWork> StepStates::begin(pg::Connection& connection, ledger::StepRecord record) {
  show(record.name, record.kind);
  const auto began = SteadyClock::now();
  std::function<RowCounts(pg::Session&)> begin = [id = record.step_id, state = record.state,
                                                  is_rollback = at_.is_rollback](pg::Session& s) {
    if (state == StepState::kRolledBack) ledger::forget_rollback(s, id);
    if (!ledger::set_step_state(s, id, StepState::kRunning) && !is_rollback) ledger::end_overtaken();
    return ledger::step_counts(s, id);
  };
  const auto already_done = co_await keep_trying<RowCounts>(connection, begin, at_.journal, at_.stop);
  co_return StepInWork{std::move(record), already_done, began};
}

asio::awaitable<std::exception_ptr> StepStates::end(pg::Connection& connection, StepInWork step,
                                                    std::string outcome, std::exception_ptr error) {
  if (outcome == "failed") at_.failure.note(error);
  if (outcome == "done" || outcome == "failed") {
    std::function<bool(pg::Session&)> end = [=, id = step.record.step_id, is_rollback = at_.is_rollback,
                                             message = message_of(error)](pg::Session& s) {
      const auto state = outcome == "done" ? StepState::kDone : StepState::kFailed;
      if (!ledger::set_step_state(s, id, state, message) && !is_rollback) ledger::end_overtaken();
      return true;
    };
    try {
      co_await keep_trying<bool>(connection, end, at_.journal, at_.stop);
    } catch (...) {
      if (!error) error = std::current_exception();  // the first cause counts
    }
  }
  const auto& record = step.record;
  if (outcome == "done") at_.in_work.cut.clear();  // the cancel came too late
  const auto took = std::chrono::duration<double>(SteadyClock::now() - step.began).count();
  at_.journal.write(event::StepEnded{record.name, record.kind, outcome, step.rows, took});
  co_await at_.store_log();
  base::failpoint("after_step");
  co_return error;
}

}  // namespace pgsluice::engine
