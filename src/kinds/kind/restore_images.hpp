#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "kinds/kind/step_kind.hpp"
#include "lanes/batch/batch_sql.hpp"

namespace pgsluice::engine {

/// How the rollback of a step uses what the step has kept.
struct ImageUse {
  std::string step;          // its name
  std::string subject;       // "backfill step \"fill\""
  std::string act;           // in the ledger: what is done along the images
  std::string act_if_named;  // and then, forced, with rows that an earlier rollback has named
  std::function<Prepare(Images images, Restore restore)> prepare;
  /// Adds what will be done to act and survey. Throws Error if it would fail.
  std::function<void(pg::Session&, const Images&, std::int64_t bytes, RollbackAct&, RollbackSurvey&)> survey;
};

/// Whether what a step kept can be used: an obstacle in the survey if not.
void survey_images(const StepAt& at, const ImageUse& use, RollbackAct& act, RollbackSurvey& survey);

/// Takes back what the step did, in batches along the images, then frees them and records the step as
/// undone. Returns early when a stop is requested. Throws Error.
boost::asio::awaitable<void> restore_images(RunningStep& step, const ImageUse& use, const RollbackAct& act);

/// Records the step as undone and frees its images.
void forget_images(OperatorAct& act, const RollbackAct& undo);

}  // namespace pgsluice::engine
