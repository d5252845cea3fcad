#include "kinds/ddl/operator_act.hpp"

#include <random>
#include <thread>

#include "base/backoff.hpp"
#include "kinds/ddl/ddl.hpp"
#include "ledger/event_log.hpp"
#include "pg/activity/lock_holders.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace {

constexpr std::chrono::milliseconds kSlice{50};  // how soon the end of a run is noticed

}  // namespace

OperatorAct::OperatorAct(pg::Session& session, const std::string& job, std::int64_t job_id,
                         const std::function<void(EventBody)>& tell, const Stop* stop)
    : session_(session), teller_(tell), journal_(teller_, job, ""), job_id_(job_id), stop_(stop) {}

bool OperatorAct::is_over() const {
  return session_.is_aborted() || (stop_ != nullptr && stop_->is_requested());
}

void OperatorAct::wait(std::chrono::milliseconds duration) const {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (!is_over() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kSlice);
}

void OperatorAct::insist(const Failing& failing, const std::function<void()>& work,
                         const std::function<std::string()>& holders) {
  const base::Backoff backoff{steps::kDdlBackoffBase, steps::kDdlBackoffMax, steps::kDdlAttempts,
                              std::random_device{}()};
  for (int number = 1;; ++number) {
    try {
      return work();
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost() || f.cancelled_by() == pg::CancelledBy::kUs) throw;
      if (f.cancelled_by() == pg::CancelledBy::kSomebody)
        throw cancelled_by_somebody(failing.subject, f, "it starts again");
      const auto wait = backoff.next(number);
      if (f.disposition() != pg::Disposition::kRetryable || !wait) fail(failing, f, number);
      journal_.write(event::BatchFailed{0, 0, f.sqlstate(), f.what() + holders(), number, "retry",
                                        std::chrono::duration<double>(*wait).count()});
      store_events();
      this->wait(*wait);
      if (stop_ != nullptr && stop_->is_requested())
        throw Error(ExitCode::kWorkLeft, failing.subject + " before the run was told to stop");
    }
  }
}

void OperatorAct::fail(const Failing& failing, const pg::Failure& failure, int attempts) {
  const bool is_lock = failure.disposition() == pg::Disposition::kRetryable;
  const std::string message = failing.subject +
                              (is_lock ? " in " + std::to_string(attempts) + " attempts" : "") + ": " +
                              failure.what() + " (SQLSTATE " + failure.sqlstate() + ")";
  journal_.warn(message);
  store_events();
  throw Error(exit_code_of(failure.sqlstate()), message, is_lock ? failing.lock_hint : failing.other_hint);
}

void OperatorAct::store_events() {
  ledger::append_events(session_, job_id_, journal_.take_pending());
}

OperatorAct::Failing failing_to_undo(const std::string& step) {
  return {"step \"" + step + "\" could not be undone",
          "end the sessions that block it (the event log names them), then roll back again: it continues "
          "with this step",
          "correct `down`, then roll back again: it continues with this step"};
}

std::string holders_of(pg::Session& session, const std::vector<std::string>& tables) {
  std::string text;
  for (const auto& table : tables) {
    for (const auto& holder : pg::lock_holders(session, table))
      text += "; " + table + " is held by " + holder;
  }
  return text;
}

}  // namespace pgsluice::engine
