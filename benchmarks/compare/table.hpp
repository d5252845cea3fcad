#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// The table that a case changes, called `users`. As it stands here: full pages in key order, a primary key
/// and an index that no batch changes.
struct Table {
  std::int64_t rows = 1'000'000;
  std::string key_columns = "id bigint";  // as in CREATE TABLE
  std::string key_values = "i";           // of row i
  std::vector<std::string> key{"id"};     // the primary key; empty: none
  std::string columns = "email text, name text, created_at timestamptz, plan int";
  std::string values =
      "'user' || i || '@example.com', 'Some Name ' || i, timestamptz '2020-01-01 00:00:00+00' + i * interval "
      "'1 minute', i % 7";
  std::string storage{};  // as in ALTER TABLE
  int fillfactor = 100;
  std::vector<std::string> indexes{"email"};  // one column each, beside the primary key's
};

// What everybody changes: each row, once.
inline constexpr const char* kChange = "onboarding_completed = true";
inline constexpr const char* kLeft = "onboarding_completed IS NULL";

/// Makes it, with all rows.
std::string create_sql(const Table& table);

/// "id" or "tenant_id, id".
std::string key_list(const Table& table);

/// Every column, in order.
std::vector<std::string> column_names(const Table& table);

}  // namespace pgsluice::bench
