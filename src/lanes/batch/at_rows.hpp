#pragma once

#include "lanes/batch/backfill_step.hpp"
#include "pg/connection/session.hpp"
#include "table/copy/copy_sql.hpp"

namespace pgsluice::engine {

/// The name under which the source of a copy shows sessions that are not a lane's.
inline constexpr const char* kSourceLook = "pgsluice copy";

/// Runs `work` where the rows are that a fill walks: on the given session, or, for a copy from another
/// database, on one opened for it. Blocks. Throws what `work` throws, and Failure.
template <class Work>
auto at_rows(pg::Session& session, const PreparedBackfill& step, Work work) {
  if (!step.copying || !step.copying->source) return work(session);
  pg::Session source(*step.copying->source, kSourceLook);
  source.give_up_after(kSourceSilence);
  return work(source);
}

}  // namespace pgsluice::engine
