#pragma once

#include <memory>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// The one place that tells step kinds apart, exhaustively: a kind that is missing here does not compile.
/// REQUIRES: `step` outlives the answer.
std::unique_ptr<StepKind> kind_of(const Step& step);

}  // namespace pgsluice::engine
