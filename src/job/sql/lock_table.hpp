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

/// What one subcommand of ALTER TABLE takes on the altered table, as PostgreSQL 15 does. ACCESS EXCLUSIVE for
/// what is not known: the plan must not promise too little.
LockMode alter_table_lock(const Tree& command);

}  // namespace pgsluice::job
