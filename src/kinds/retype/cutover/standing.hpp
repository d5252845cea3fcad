#pragma once

#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// What an unfinished retype has put on its tables, from the ledger: `shadow columns and sync triggers are on
/// "public"."users"`. Empty: nothing yet. Throws Failure.
std::string standing_in_words(pg::Session& session, const std::string& job, const std::string& step);

}  // namespace pgsluice::engine
