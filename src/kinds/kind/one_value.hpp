#pragma once

#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::steps {

/// Runs a verify step's query in a read-only transaction and returns its single value as text ("" for NULL).
/// Throws Error(kMismatch) if it answers with other than one row of one column, Error(kRefused) if the server
/// refuses it.
std::string verify_value(pg::Session& session, const std::string& step, const std::string& query);

}  // namespace pgsluice::steps
