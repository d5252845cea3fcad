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

/// What an attempt sends for one DDL statement, the locks that it takes beforehand included. `facts` may be
/// null: what cannot be told from the text takes no lock that is known.
std::vector<PlannedStatement> planned_ddl(const steps::DdlStatement& statement,
                                          const job::StatementFacts* facts);

}  // namespace pgsluice::engine
