#pragma once

#include <string>
#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// One resumable piece of a step that takes several transactions. It runs once, is noted in the ledger under
/// its name, and never runs again.
struct Act {
  enum class Kind {
    kDdl,     // `sql` in one transaction, locks taken with a short timeout
    kIndex,   // `sql[0]`, CREATE INDEX CONCURRENTLY
    kFill,    // `fill`, in batches; or what `prepare` says
    kCopy,    // what `prepare` says, in batches that are read at a source
    kPurge,   // what `prepare` says, in batches that delete rows
    kVacuum,  // `sql[0]`, outside of a transaction
    kFence,   // waits until every transaction that runs now is over
  };

  std::string name;  // unique in its step: "add columns to public.users"
  std::string part;  // expand, fill, index, constrain, prove
  Kind kind = Kind::kDdl;
  std::vector<std::string> sql;
  BackfillStep fill;
  Prepare prepare{};
};

}  // namespace pgsluice::engine
