#pragma once

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// For a step that keeps before-images: their size, and publications that would send them. Throws
/// Error(kRefused) if the table's rows cannot be told apart, Failure.
void check_images(pg::Session& session, const pg::Table& table, const BackfillStep& step, std::int64_t rows,
                  Findings& findings);

}  // namespace pgsluice::engine
