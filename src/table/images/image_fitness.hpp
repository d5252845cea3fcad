#pragma once

#include "pg/connection/session.hpp"
#include "table/images/images.hpp"

namespace pgsluice::engine {

/// Refuses a table whose images could not be kept, before the first of them: a name that is taken, more
/// columns than a table may have, or a row that is wider than a page whatever its values are. Wide values
/// that a row may have or not have are left to the batch, which names the row. Throws Error(kRefused),
/// Failure.
void refuse_unfit_images(pg::Session& session, const Images& images, const std::string& step);

}  // namespace pgsluice::engine
