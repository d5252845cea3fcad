#include "kinds/kind/step_kind.hpp"

#include "base/failpoint.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

boost::asio::awaitable<bool> StepKind::look_before_writing(RunningStep& /*step*/,
                                                           const Outlook& /*outlook*/) const {
  co_return false;
}

std::vector<std::string> StepKind::undoing_in_words(const RollbackAct& /*act*/,
                                                    const std::string& /*detail*/) const {
  return {};
}

void StepKind::take_back(OperatorAct& act, const Job& /*job*/, const RollbackAct& undo) const {
  base::failpoint("rollback_before_note");
  pg::in_transaction(act.session(), {},
                     [&] { return ledger::mark_rolled_back(act.session(), undo.step_id); });
}

}  // namespace pgsluice::engine
