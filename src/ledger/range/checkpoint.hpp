#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledger/range/token.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// Moves a range's position inside the batch's own transaction, before the batch touches the table, so that
/// the change runs under a snapshot newer than the position's row lock. False: fenced, nothing was changed;
/// roll back.
bool advance(pg::Session& session, const Token& token, const std::optional<pg::Key>& from, const pg::Key& to,
             const pg::Key& upper);

/// The statement that advance() sends, for `plan`.
const char* advance_sql();

/// What a batch adds to its range.
struct BatchCounts {
  std::int64_t visited = 0;
  std::int64_t changed = 0;
  std::int64_t quarantined = 0;
  bool is_last = false;  // the position reached the range's upper end
};

/// "UPDATE …; COMMIT": the counts travel with the COMMIT. REQUIRES: advance() returned true in this
/// transaction, so we hold the row's lock.
std::string count_and_commit(std::int64_t range_id, const BatchCounts& counts);

/// Sets one row aside, in the transaction that moves the position past it.
void quarantine(pg::Session& session, std::int64_t step_id, const pg::Key& key, const std::string& sqlstate,
                const std::string& message);

/// "ON CONFLICT …" of every INSERT into the quarantine: a row that is named again has its newest error.
const char* renew_quarantined_sql();
/// The condition that row `named` of the quarantine is that key's, an SQL expression, of the step.
std::string is_quarantined_sql(const std::string& named, std::int64_t step_id, const std::string& key);

/// In the caller's transaction or by itself: nothing is set aside of the step any more.
void forget_quarantine(pg::Session& session, std::int64_t step_id);

/// For a step without keys (sql, index, verify): marks its one range done under the token. False: fenced.
bool mark_done(pg::Session& session, const Token& token);

}  // namespace pgsluice::ledger
