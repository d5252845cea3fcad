#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/range/token.hpp"
#include "pg/connection/session.hpp"
#include "pg/connection/transaction.hpp"
#include "table/follow/following.hpp"

namespace pgsluice::engine {

/// What one look at the queue found: entries, and the rows of their keys as one snapshot has them. A value.
struct Changes {
  std::vector<std::string> ids;    // of the entries: exactly these are forgotten once they are applied
  std::vector<std::string> drawn;  // beside each: what tells it from another of the same id
  std::vector<pg::Key> absent;     // keys that the source has no row for, or none that `where` wants
  std::string lines;               // the rows, as COPY takes them
  std::int64_t rows = 0;
  std::vector<std::optional<std::int64_t>> highest;  // of Copying::sequences, in these rows
  pg::Key first;                                     // the oldest entry's key, for messages
  std::string marks;
  bool is_all = true;         // these were all entries that the snapshot saw
  std::int64_t behind = 0;    // entries that are left, at most
  bool is_too_large = false;  // the rows do not fit into memory's bound: look for fewer entries
};

/// Looks at the oldest `entries` in a transaction of its own. Blocks. Throws SourceFailure.
Changes read_changes(pg::Session& source, const Following& following, std::int64_t entries);

/// What applying came to.
struct Applied {
  bool is_fenced = false;  // rolled back: another run has the follow
  std::int64_t rows = 0;   // written or deleted
};

/// Makes the target's rows of these keys what the source's are, in one transaction under the token, which is
/// on disk when this returns. May be repeated. Blocks. Throws Failure; then nothing is changed, or in doubt.
Applied apply_changes(pg::Session& target, const Following& following, const Changes& changes,
                      const ledger::Token& token, const pg::TransactionLimits& limits);

/// Forgets the entries. REQUIRES: they are applied, and that is on disk. Throws SourceFailure.
void acknowledge(pg::Session& source, const Following& following, const Changes& changes);

}  // namespace pgsluice::engine
