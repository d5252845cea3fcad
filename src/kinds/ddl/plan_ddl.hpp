#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "job/sql/statement.hpp"
#include "kinds/ddl/ddl.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// "ACCESS EXCLUSIVE on "public"."users", SHARE ROW EXCLUSIVE on "orgs"".
std::string lock_in_words(const job::StatementFacts& facts);

/// "ACCESS EXCLUSIVE, lock_timeout 300 ms"
std::string with_timeout(const std::string& lock, std::chrono::milliseconds timeout);

/// What an attempt sends for one DDL statement, including the locks that it takes first. `facts` may be null:
/// then the locks cannot be told from the text.
std::vector<PlannedStatement> planned_ddl(const steps::DdlStatement& statement,
                                          const job::StatementFacts* facts);

}  // namespace pgsluice::engine
