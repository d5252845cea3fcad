#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job_file.hpp"
#include "pgsluice/plan.hpp"
#include "support/db.hpp"

namespace pgsluice::test {

/// The job of a text that is right.
inline Job job_of(const std::string& text) {
  auto file = parse_job(text, "job.toml", "");
  if (!file.ok()) throw std::runtime_error(to_string(file.diagnostics.front()));
  return file.job;
}

/// A session as the engine uses it.
inline pg::Session session_on(const std::string& dsn) {
  return pg::Session(pg::ConnectionTarget(dsn), "pgsluice test");
}

/// 10,000 users with a primary key and nothing unusual about them, analysed.
inline void make_users(Db& db, int rows = 10'000) {
  db.exec(
      "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, plan int);"
      "INSERT INTO users SELECT g, 'user' || g || '@example.com', g % 7 FROM generate_series(1, " +
      std::to_string(rows) + ") g; ANALYZE users");
}

/// The job that most tests are about: a column, its values, an index, a proof.
inline const char* onboarding_text() {
  return R"toml(
name = "onboarding"
[[step]]
kind = "sql"
name = "add-column"
up   = "ALTER TABLE users ADD COLUMN IF NOT EXISTS onboarded boolean"
down = "ALTER TABLE users DROP COLUMN IF EXISTS onboarded"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { onboarded = "true" }
where = "onboarded IS NULL"
[[step]]
kind = "index"
name = "index"
sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_onboarded ON users (onboarded)"
[[step]]
kind = "verify"
name = "nobody-left"
query = "SELECT count(*) FROM users WHERE onboarded IS NULL"
expect = "0"
)toml";
}

/// All texts of a list, one a line, for messages and substring checks.
inline std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + "\n";
  return all;
}

}  // namespace pgsluice::test
