#pragma once

#include <string>

#include "pg/session.hpp"

namespace pgsluice::ledger {

/// What an operator says, from any machine; live runs see it within half a second. Each is written to the
/// event log with actor and reason. All throw Error(kNoSuchJob) for a name that the ledger does not know.

/// control: "run" (resume), "pause" or "cancel".
void set_control(pg::Session& session, const std::string& job, const std::string& control,
                 const std::string& actor, const std::string& reason);

/// Lays "batch.target=500ms" over the job file for this and later runs. REQUIRES: checked by apply_tunable.
void set_tunable(pg::Session& session, const std::string& job, const std::string& key,
                 const std::string& value, const std::string& actor, const std::string& reason);

/// Corrects a step by hand: "done" (applied), or "waiting" (rolled back: it starts afresh, its positions are
/// forgotten). Throws Error(kRefused) while a run of the job lives.
void resolve_step(pg::Session& session, const std::string& job, const std::string& step,
                  const std::string& state, const std::string& actor, const std::string& reason);

}  // namespace pgsluice::ledger
