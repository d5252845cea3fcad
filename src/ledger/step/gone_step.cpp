#include "ledger/step/gone_step.hpp"

#include "pgsluice/error.hpp"

namespace pgsluice::ledger {

void end_overtaken() {
  throw Error(ExitCode::kRangesHeld,
              "other runs have finished the work of this one, and the job has begun anew since",
              "nothing is lost: pgsluice status shows how far the job is now");
}

const pg::Rows& of_present_step(const pg::Rows& answer) {
  if (answer.empty() && answer.affected() == 0) end_overtaken();
  return answer;
}

}  // namespace pgsluice::ledger
