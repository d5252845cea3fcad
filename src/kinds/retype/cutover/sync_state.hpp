#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"
#include "ledger/jobs.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// What is wrong with the triggers that keep a retype's columns in step, from expand to contract, by name.
/// Empty: nothing, or the retype has no triggers now. Throws Error, Failure.
std::vector<std::string> wrong_triggers(pg::Session& session, const RetypeStep& step,
                                        const ledger::StepRecord& record);

/// For a retype that is being made or cut over: refuses if one of its triggers is not as it was made.
void check_triggers(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record,
                    Findings& findings);

/// Throws Error(kRefused) with the triggers' names.
void require_triggers(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record);

/// Compares every reference that was looked up with its parent: while a trigger was switched off, references
/// were left as they were. Reads whole tables, for as long as that takes. Throws Error(kRefused) with the
/// number of rows, Failure.
void require_pairs(pg::Session& session, const RetypeStep& step, const steps::retype::Retype& retype);

/// Checks triggers and rows before anything is locked. Returns the triggers' marks at that time: a trigger
/// that is switched off and on later has other marks. Throws Error(kRefused), Failure.
std::string marks_of_proof(pg::Session& session, const RetypeStep& step, const ledger::StepRecord& record);
/// The function that throws Error(kRefused) if they have other marks. REQUIRES: the session outlives it.
std::function<void(const steps::retype::Retype&)> refuse_other_marks(pg::Session& session,
                                                                     const RetypeStep& step,
                                                                     const std::string& marks);

}  // namespace pgsluice::engine
