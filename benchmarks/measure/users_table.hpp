#pragma once

#include <cstdint>
#include <string>

#include "measure/engine_run.hpp"

namespace pgsluice::bench {

/// The table that the measurements of walks used too: full pages in key order, a second index that no batch
/// changes.
inline std::string users_sql(std::int64_t rows, bool with_email_index = true) {
  return "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text, created_at timestamptz, plan "
         "int, "
         "onboarding_completed boolean); "
         "INSERT INTO users SELECT i, 'user' || i || '@example.com', 'Some Name ' || i, "
         "timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute', i % 7, NULL FROM "
         "generate_series(1, " +
         std::to_string(rows) + ") i; " +
         (with_email_index ? "CREATE INDEX users_email ON users (email); " : "");
}

/// Marks every user of users_sql.
inline EngineJob users_job(int lanes, std::int64_t rows_of_a_batch = 0) {
  return {"users", "onboarding_completed = \"true\"", "onboarding_completed IS NULL", lanes, rows_of_a_batch};
}

}  // namespace pgsluice::bench
