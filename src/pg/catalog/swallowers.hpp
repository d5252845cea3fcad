#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// A rule ON UPDATE of a table, or of a partition or child of it.
struct UpdateRule {
  std::string name;
  bool is_of_table = true;      // not of a part: an UPDATE that names the table itself triggers it
  bool is_instead = false;      // does something else, or nothing
  bool is_conditional = false;  // only for some rows
};

/// What can leave a row unchanged although an UPDATE has selected it. Immutable value.
struct Swallowers {
  std::vector<std::string> triggers;  // BEFORE, FOR EACH ROW: one that returns NULL skips the row
  std::vector<UpdateRule> rules;

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

}  // namespace pgsluice::pg
