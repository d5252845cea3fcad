#pragma once

#include "kinds/kind/restore_images.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// The rows that a copy has inserted are removed, where they still are as copied.
ImageUse copied_rows_of(const CopyStep& step);

/// Whether the step can keep which rows it inserts, and what that takes.
void check_kept(pg::Session& session, const pg::Table& to, const CopyStep& step, std::int64_t rows,
                Findings& findings);

}  // namespace pgsluice::engine
