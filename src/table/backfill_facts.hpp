#pragma once

#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/storage.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Names of the columns that a backfill sets.
std::vector<std::string> changed_columns(const BackfillStep& step);

/// Volatile functions in `set` and `where`.
std::vector<std::string> volatile_functions_of(pg::Session& session, const BackfillStep& step);

/// Indexes that contain a changed column: with one, none of the step's updates can be HOT.
std::vector<std::string> indexes_changed(const pg::Storage& storage, const BackfillStep& step);

/// `primary key "users_pkey"`, and the alternatives.
std::string key_reason(const pg::Table& table, const pg::UniqueKey& key, const BackfillStep& step);

/// "a", "b" and "c", for messages.
std::string listed(const std::vector<std::string>& names);

}  // namespace pgsluice::engine
