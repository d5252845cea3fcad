#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Checks that the job file and the flags of `backfill` share. Each adds what it read to the step, or says
/// why not.
std::optional<Refusal> add_key_column(BackfillStep& step, std::string_view column);
std::optional<Refusal> add_assignment(BackfillStep& step, std::string_view column,
                                      std::string_view expression);
std::optional<Refusal> set_where(BackfillStep& step, std::string_view expression);

/// The first column of `set` that is also a column of `key`; empty if none.
std::string changed_key_column(const BackfillStep& step);

/// Why a name of a job or a step is not accepted; nullopt: it is.
std::optional<Refusal> check_name(std::string_view name);

}  // namespace pgsluice::job
