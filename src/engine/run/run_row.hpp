#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "engine/run/run_outcome.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "kinds/kind/undoing.hpp"
#include "ledger/runs.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/job.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// What is read from and written to the ledger before the first step.
struct OpenedRun {
  OpenedJob job;
  ledger::Orders orders;
  std::vector<std::string> freed{};  // steps whose before-images were, their time being over
};

/// A rollback that may begin: registered as a run, with the job shut to other runs.
struct OpenedRollback {
  OpenedRun run;
  RollbackSurvey survey;
};

/// The run's row in the ledger, from its registration to its end, and the job's state with it. Confined to
/// the io thread; what it is given outlives it.
class RunRow {
 public:
  RunRow(pg::Connection& connection, const Job& job, std::string run_id, Journal& journal, const Stop& stop)
      : connection_(connection), job_(job), run_id_(std::move(run_id)), journal_(journal), stop_(stop) {}

  /// Runs preflight, then prepares the ledger and writes job and run to it. Throws Error for any obstacle.
  boost::asio::awaitable<OpenedRun> open();
  /// The same for a rollback; see open_rollback().
  boost::asio::awaitable<OpenedRollback> open_rollback();
  boost::asio::awaitable<void> mark_job_running();
  /// The ledger's records of all steps, including other runs' work; `known` if it cannot be reached.
  boost::asio::awaitable<RowCounts> count_rows(RowCounts known);
  /// Zero if the ledger cannot be reached.
  boost::asio::awaitable<RowsNotRestored> count_not_restored();
  /// Warns if the ledger cannot be written.
  boost::asio::awaitable<void> close(RunOutcome end);
  boost::asio::awaitable<void> close_rollback(RunOutcome end);
  /// For a run that was told to stop while it opened: it may be in the ledger or not.
  boost::asio::awaitable<void> close_unopened(RunOutcome end);

  bool is_registered() const { return is_registered_; }
  const ledger::JobRecord& job_record() const { return job_record_; }

 private:
  boost::asio::awaitable<void> write_end(std::function<bool(pg::Session&)> tell);

  pg::Connection& connection_;
  const Job& job_;
  std::string run_id_;
  Journal& journal_;
  const Stop& stop_;
  ledger::JobRecord job_record_;
  bool is_registered_ = false;
};

}  // namespace pgsluice::engine
