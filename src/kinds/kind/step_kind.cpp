#include "kinds/kind/step_kind.hpp"

#include "base/failpoint.hpp"
#include "pg/connection/transaction.hpp"
#include "telling/failure/interruption.hpp"

namespace pgsluice::engine {

boost::asio::awaitable<bool> StepKind::look_before_writing(RunningStep& /*step*/,
                                                           const Outlook& /*outlook*/) const {
  co_return false;
}

std::vector<std::string> StepKind::undoing_in_words(const RollbackAct& /*act*/,
                                                    const std::string& /*detail*/) const {
  return {};
}

boost::asio::awaitable<void> StepKind::undo(RunningStep& step, const RollbackAct& act) const {
  // What the act tells is published from the connection's thread, and stored by it.
  const std::function<void(EventBody)> tell = [&step](EventBody body) {
    Event event;
    event.job = step.job.name;
    event.run_id = step.run_id;
    event.body = std::move(body);
    step.sink.publish(std::move(event));
  };
  std::function<bool(pg::Session&)> work = [&](pg::Session& session) {
    OperatorAct operator_act(session, step.job.name, act.job_id, tell, &step.stop);
    take_back(operator_act, step.job, act);
    return true;
  };
  const auto own = step.own.open("rollback");
  try {
    co_await own->run<bool>(std::move(work));
  } catch (const pg::Failure& f) {
    if (f.cancelled_by() == pg::CancelledBy::kUs && step.stop.is_requested()) throw cut_short(step.stop);
    throw;
  }
}

void StepKind::take_back(OperatorAct& act, const Job& /*job*/, const RollbackAct& undo) const {
  base::failpoint("rollback_before_note");
  pg::in_transaction(act.session(), {},
                     [&] { return ledger::mark_rolled_back(act.session(), undo.step_id); });
}

}  // namespace pgsluice::engine
