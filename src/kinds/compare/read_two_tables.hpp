#pragma once

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// `from`, `to` and `columns`: the tables of a copy, or of a comparison.
void read_two_tables(job::Section& section, CopyStep& step);

/// `dsn` of `from`. The text is not repeated anywhere: it may hold a password.
void read_dsn(job::Section& from, CopyStep& step);

}  // namespace pgsluice::engine
