#include "kinds/step_run/running_step.hpp"

#include "ledger/range/checkpoint.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

asio::awaitable<void> run_told(RunningStep& step, const Story& story) {
  step.fills.forget_sums();
  const auto begun = co_await step.states.begin(step.connection, step.record);
  std::exception_ptr error;
  try {
    co_await story();
  } catch (...) {
    error = std::current_exception();
  }
  auto how = step_outcome(error, step.stop);
  error = co_await step.states.end(step.connection, begun, std::move(how), error);
  if (error) std::rethrow_exception(error);
}

asio::awaitable<std::optional<ledger::Range>> lease_single(RunningStep& step, pg::Connection& connection) {
  return step.ranges.lease_single(connection, step.record.step_id, step.record.name);
}

asio::awaitable<void> mark_done(RunningStep& step, pg::Connection& connection, ledger::Token token) {
  std::function<bool(pg::Session&)> mark = [token](pg::Session& s) { return ledger::mark_done(s, token); };
  co_await keep_trying<bool>(connection, mark, step.journal, step.stop);
}

}  // namespace pgsluice::engine
