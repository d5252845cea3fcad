#pragma once

#include <cstdint>
#include <string>

#include "engine/operator_act.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// How a retype ends whose tables are not there any more as it knew them.
struct RemovalMove {
  std::int64_t step_id = 0;
  std::string from, to, state;  // as ledger::move_retype takes them
  std::string going;            // kind of column that goes: "column", or at contract "old column"
};

/// True: a table of the retype was dropped or renamed, or a changing column was, and what the ledger noted of
/// it is taken away from what is left. False: all is there, and nothing was done. Throws Error(kRefused)
/// where that would take away the only column that holds the application's values.
bool take_away_what_is_left(OperatorAct& act, const RetypeStep& step, const RemovalMove& move);

}  // namespace pgsluice::engine
