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

/// Entries of one table's queue, and the rows of their keys as one snapshot has them. A value.
struct TableChanges {
  std::vector<std::string> ids;    // of the entries: exactly these are forgotten once they are applied
  std::vector<std::string> drawn;  // beside each: what tells it from another of the same id
  std::vector<pg::Key> keys;       // and its key
  std::vector<pg::Key> absent;     // keys that the source has no row for, or none that `where` wants
  std::string lines;               // the rows, as COPY takes them
  std::int64_t rows = 0;
  std::vector<std::optional<std::int64_t>> highest;  // of Copying::sequences, in these rows
};

/// What one look at the queues found, in one snapshot of the source. A value.
struct Changes {
  std::vector<TableChanges> tables;  // beside those that are followed
  std::int64_t entries = 0;
  std::size_t first_table = 0;  // of the oldest entry, whose key is for messages
  pg::Key first;
  std::string marks;
  bool is_all = true;         // these were all entries that the snapshot saw
  std::int64_t behind = 0;    // entries that are left, at most
  bool is_too_large = false;  // the rows do not fit into memory's bound: look for fewer entries
};

/// All that tells whether the tables are still what was followed, as one text. Throws Failure.
std::string read_marks(pg::Session& source, const FollowedTables& tables);

/// Looks at the oldest `entries` in a transaction of its own. Blocks. Throws SourceFailure.
Changes read_changes(pg::Session& source, const FollowedTables& tables, std::int64_t entries);

/// What applying came to.
struct Applied {
  bool is_fenced = false;  // rolled back: another run has the follow
  std::int64_t rows = 0;   // written or deleted
  /// By table: rows left as they were, because what they refer to is not there, or rows refer to them that
  /// are left too.
  std::vector<std::vector<pg::Key>> left;

  bool is_whole() const;
};

/// Makes the target's rows of these keys what the source's are, in one transaction under the token, which is
/// on disk when this returns: rows go before those that they refer to, and come after them. May be repeated.
/// Blocks. Throws Failure; then nothing is changed, or in doubt.
Applied apply_changes(pg::Session& target, const FollowedTables& tables, const Changes& changes,
                      const ledger::Token& token, const pg::TransactionLimits& limits);

/// Forgets the entries but for those of rows that were left: they are put off until after all others, with
/// which what they need may come, or stay where they are if there are no others. REQUIRES: what was applied
/// is on disk. Throws SourceFailure.
void acknowledge(pg::Session& source, const FollowedTables& tables, const Changes& changes,
                 const Applied& applied);

}  // namespace pgsluice::engine
