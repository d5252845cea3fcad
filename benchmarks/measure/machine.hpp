#pragma once

#include <string>

#include "support/db.hpp"

namespace pgsluice::bench {

/// The class of machine and the server's settings that weigh: "2 cores, 23 GB, Linux 6.1; PostgreSQL 15.4,
/// …".
std::string machine_text(test::Db& db);

}  // namespace pgsluice::bench
