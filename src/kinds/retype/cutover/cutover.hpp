#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "kinds/ddl/operator_act.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// How far a retype has come, in the words that step.detail in the ledger holds.
struct RetypeDetail {
  static constexpr const char* kBegun = "begun";
  static constexpr const char* kReady = "ready for cut-over";
  static constexpr const char* kCutOver = "cut over";
  static constexpr const char* kContracted = "contracted";
  static constexpr const char* kTakenBack = "taken back";
};

/// When an application's transaction holds one table and wants another that the cut-over has locked already,
/// neither can go on until the cut-over gives up, and every session behind them waits as long. Measured under
/// traffic: as many attempts succeed with 100 ms as with 300 ms.
constexpr std::chrono::milliseconds kMoveLockTimeout{100};

/// Cuts over one retype: old and new columns exchange names in one transaction, tried again with backoff
/// until it gets the locks. Blocks. Does nothing if it is cut over already. Throws Error(kRefused) if it is
/// not ready, or if something was added to the tables that has no twin yet.
void cut_over_step(pg::Session& session, const std::string& job, const RetypeStep& step, std::int64_t step_id,
                   const std::function<void(EventBody)>& tell);

/// Cuts over every retype of the job that is ready. Ends sessions that are in the way for longer than
/// `kill_blockers_after`; 0: never. Throws Error(kNoSuchJob), Error(kRefused) if none is ready.
void cut_over_job(pg::Session& session, const std::string& job, std::chrono::milliseconds kill_blockers_after,
                  const std::function<void(EventBody)>& tell);

/// Drops the old columns of every retype that is cut over: there is no way back from here. Before that throws
/// Error(kRefused) if one is not proved yet.
void contract_job(pg::Session& session, const std::string& job, const ContractOptions& options,
                  const std::function<void(EventBody)>& tell);

/// Undoes a retype, however far it has come: puts the old columns back in their place with every write since,
/// or drops the new ones. REQUIRES: no live run. `act` belongs to the job.
void roll_back_retype(OperatorAct& act, const std::string& job, const RetypeStep& step, std::int64_t step_id);

}  // namespace pgsluice::engine
