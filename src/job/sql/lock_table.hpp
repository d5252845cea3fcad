#pragma once

#include <string>

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {

/// PostgreSQL's table lock modes, weakest first, with the numbers that its grammar uses.
enum class LockMode : int {
  kNone = 0,
  kAccessShare = 1,
  kRowShare = 2,
  kRowExclusive = 3,
  kShareUpdateExclusive = 4,
  kShare = 5,
  kShareRowExclusive = 6,
  kExclusive = 7,
  kAccessExclusive = 8,
};

/// "ACCESS EXCLUSIVE"; empty for kNone.
std::string lock_name(LockMode mode);

/// The lock that one subcommand of ALTER TABLE takes on the altered table in PostgreSQL 15. ACCESS EXCLUSIVE
/// if unknown: the plan must never show too weak a lock.
LockMode alter_table_lock(const Tree& command);

}  // namespace pgsluice::job
