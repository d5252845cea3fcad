#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger/range/token.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// A run without a heartbeat for this long has lost its ranges. Five heartbeats may be missed.
constexpr int kLeaseSeconds = 15;
constexpr int kHeartbeatSeconds = 3;
/// A run whose last heartbeat is older may have died: one missed heartbeat may just be late, two are a sign.
constexpr int kFreshSeconds = 2 * kHeartbeatSeconds;

/// Takes a range of the step that no run works on: free, or of a run that ended or whose lease ran out, or
/// ours but not `in_use` (the answer to an earlier lease was lost). Commits by itself, synchronously. Rows
/// that an orphan backend still locks are skipped. nullopt: none is free now.
std::optional<Range> lease_next(pg::Session& session, std::int64_t step_id, const std::string& run_id,
                                const std::set<std::int64_t>& in_use);

/// Takes our own range again, after a reconnect, a fenced batch or one in doubt: waits for an orphan backend
/// that still runs the batch, and only its answer counts. nullopt: the range is no longer ours, or is done.
std::optional<Range> lease_again(pg::Session& session, const Token& token);

/// Gives the range back so that any run may take it at once; does nothing if it is no longer ours.
void release(pg::Session& session, const Token& token);

/// Fixes the upper end of a tail range to `upper`, under the token. False: fenced.
bool fix_upper(pg::Session& session, const Token& token, const pg::Key& upper);

/// What is left of a step.
struct Remaining {
  std::int64_t ranges = 0;          // not done
  std::int64_t held_by_others = 0;  // of these, leased by another run whose lease has not ended
  std::int64_t held_by_living = 0;  // of these, by a run with a fresh heartbeat since we started
};
Remaining remaining(pg::Session& session, std::int64_t step_id, const std::string& run_id);

}  // namespace pgsluice::ledger
