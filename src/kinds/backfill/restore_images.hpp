#pragma once

#include <boost/asio/awaitable.hpp>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// Whether the old values that a backfill step kept can be put back: an obstacle in the survey if not, else
/// what will be done, and which triggers will fire.
void survey_images(const StepAt& at, const BackfillStep& step, RollbackAct& act, RollbackSurvey& survey);

/// Puts the old values back, in batches along the images, then frees them and records the step as undone.
/// Returns early when a stop is requested. Throws Error.
boost::asio::awaitable<void> restore_images(RunningStep& step, const BackfillStep& definition,
                                            const RollbackAct& act);

/// Records the step as undone and frees its images.
void forget_images(OperatorAct& act, const RollbackAct& undo);

}  // namespace pgsluice::engine
