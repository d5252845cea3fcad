#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Checks that the job file and the flags of `backfill` share. Each adds what it read to the step, or says
/// why it cannot.
std::optional<job::Refusal> add_key_column(BackfillStep& step, std::string_view column);
std::optional<job::Refusal> add_assignment(BackfillStep& step, std::string_view column,
                                           std::string_view expression);
std::optional<job::Refusal> set_where(BackfillStep& step, std::string_view expression);

/// The first column of `set` that is also a column of `key`; empty if there is none.
std::string changed_key_column(const BackfillStep& step);

}  // namespace pgsluice::engine
