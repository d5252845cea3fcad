#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/range/token.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/progress.hpp"

namespace pgsluice::ledger {

/// A copy that follows its source, as the ledger keeps it: its queue at the source, how far it is behind, and
/// what an operator has asked of it.
struct Follow {
  std::int64_t job_id = 0;
  std::int64_t step_id = 0;
  std::string step;
  std::string queue;          // what its objects at the source are named after
  std::string marks;          // of the source's table when they were installed; empty: not installed yet
  bool is_following = false;  // what was there at the start is copied
  bool is_switched = false;
  std::string answer;  // to the last request to switch; empty: none has been given yet
};

/// Writes the follow of a step, or finds it there: `queue` counts only if it is new. Commits by itself.
Follow open_follow(pg::Session& session, std::int64_t step_id, const std::string& queue);
/// nullopt: it has not begun, or the ledger is older than follows.
std::optional<Follow> read_follow(pg::Session& session, std::int64_t step_id);
/// Those of a job that have begun, in order.
std::vector<Follow> find_follows(pg::Session& session, const std::string& job);

void note_installed(pg::Session& session, std::int64_t step_id, const std::string& marks);
void note_following(pg::Session& session, std::int64_t step_id);
void note_switched(pg::Session& session, std::int64_t step_id);
void note_behind(pg::Session& session, std::int64_t step_id, const Behind& behind);
/// In the caller's transaction: its objects at the source are gone.
void forget_follow(pg::Session& session, std::int64_t step_id);

/// A request is obeyed by a live run at once; one that is older came from an operator who has gone by now.
constexpr std::chrono::seconds kRequestOpen{60};

/// Asks the run that follows to switch within `pause`. The caller tells the event log.
void ask_switch(pg::Session& session, std::int64_t step_id, std::chrono::milliseconds pause);
/// Takes up a request that is not too old: its pause. nullopt: there is none, or another run has it.
std::optional<std::chrono::milliseconds> take_switch(pg::Session& session, std::int64_t step_id);
/// Whether a request still waits for a run, or a run is at it.
bool is_switch_open(pg::Session& session, std::int64_t step_id);
/// The request is over; `answer` is for whoever asked.
void answer_switch(pg::Session& session, std::int64_t step_id, const std::string& answer);

/// In the transaction that applies changes, before it touches the table: locks the range of the follow under
/// the token and counts its entries. False: fenced; roll back.
bool hold(pg::Session& session, const Token& token, std::int64_t entries);
/// "UPDATE …; COMMIT" that ends it. REQUIRES: hold() returned true in this transaction.
std::string count_and_commit(const Token& token, std::int64_t rows_changed);

}  // namespace pgsluice::ledger
