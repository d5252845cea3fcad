#pragma once

#include "kinds/kind/restore_images.hpp"

namespace pgsluice::engine {

/// Old values are put back from a backfill's before-images.
ImageUse old_values_of(const BackfillStep& step);

}  // namespace pgsluice::engine
