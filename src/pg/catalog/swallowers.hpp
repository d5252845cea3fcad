#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// What a statement does to a row.
enum class RowEvent { kInsert, kUpdate, kDelete };

/// A rule on such statements of a table, or of a partition or child of it.
struct WriteRule {
  std::string name;
  bool is_of_table = true;      // not of a part: a statement that names the table itself triggers it
  bool is_instead = false;      // does something else, or nothing
  bool is_conditional = false;  // only for some rows
};

/// What can leave a row as it was although a statement was to change it. Immutable value.
struct Swallowers {
  std::vector<std::string> triggers;  // BEFORE, FOR EACH ROW: one that returns NULL skips the row
  std::vector<WriteRule> rules;

  bool is_any() const;
  /// No row of the table is ever changed, whatever the command tag says: it counts the rule's rows.
  bool is_always_instead() const;
  /// The names: `trigger "a"`, `one of trigger "a", rule "b"`.
  std::string in_words() const;
};

/// Enabled triggers that an UPDATE of these columns fires, including partitions' own, and rules ON UPDATE.
/// Sync triggers do not count, nor does the server's suppress_redundant_updates_trigger: the rows it skips
/// are already right. Throws Failure.
Swallowers read_swallowers(Session& session, std::uint32_t table_oid,
                           const std::vector<std::string>& columns);
/// The same for INSERT and DELETE. REQUIRES: not kUpdate.
Swallowers read_swallowers(Session& session, std::uint32_t table_oid, RowEvent event);

/// User-defined, enabled triggers that a DELETE fires.
std::vector<std::string> delete_triggers(Session& session, std::uint32_t table_oid);

}  // namespace pgsluice::pg
