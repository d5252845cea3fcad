#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What an operator's act would do now, one sentence per line: steps, tables, and what cannot be undone.
/// Empty: nothing, or the act itself says why it cannot be done. Changes nothing. Throws Failure.
std::vector<std::string> cutover_notice(pg::Session& session, const std::string& job);
std::vector<std::string> contract_notice(pg::Session& session, const std::string& job);
std::vector<std::string> rollback_notice(pg::Session& session, const Job& job);

}  // namespace pgsluice::engine
