#include "foretold/tables.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 600'000;

std::string filled(const std::string& columns, const std::string& values, std::int64_t rows,
                   const std::string& with = "") {
  return "CREATE TABLE users (" + columns + ")" + with + "; INSERT INTO users SELECT " + values +
         " FROM generate_series(1, " + std::to_string(rows) + ") AS i;";
}

EngineJob job(const std::string& set, const std::string& where = "") {
  EngineJob out;
  out.table = "users";
  out.set = set;
  out.where = where;
  out.lanes = 2;
  return out;
}

constexpr const char* kUser =
    "id bigint PRIMARY KEY, name text, created_at timestamptz, plan int, done boolean";
constexpr const char* kValues =
    "i, 'Some Name ' || i, timestamptz '2020-01-01 00:00:00+00' + i * interval '1 minute', i % 7, NULL";

std::string partitioned(std::int64_t rows) {
  std::string sql = std::string("CREATE TABLE users (") + kUser + ") PARTITION BY HASH (id);";
  for (int i = 0; i < 4; ++i) {
    const auto n = std::to_string(i);
    sql +=
        "CREATE TABLE users_" + n + " PARTITION OF users FOR VALUES WITH (MODULUS 4, REMAINDER " + n + ");";
  }
  return sql + "CREATE INDEX ON users (created_at); INSERT INTO users SELECT " + kValues +
         " FROM generate_series(1, " + std::to_string(rows) + ") AS i;";
}

}  // namespace

std::vector<ForetoldTable> foretold_tables(const Options& options) {
  const auto rows = options.rows(kRows * (options.quick ? 4 : 1));
  const std::string by_time = "CREATE INDEX ON users (created_at);";
  const std::string by_plan = "CREATE INDEX ON users (plan);";
  const std::string spread = "CREATE INDEX ON users (md5(name));";
  const auto users = filled(kUser, kValues, rows);
  return {
      {"narrow, no where", filled("id bigint PRIMARY KEY, n int NOT NULL", "i, i % 100", 2 * rows),
       job("n = \"n + 1\"")},
      {"wide, 1 kB a row",
       filled(std::string(kUser) + ", body text", std::string(kValues) + ", repeat(md5(i::text), 30)",
              rows / 4) +
           by_time,
       job("done = \"true\"")},
      {"the set column is indexed", users + by_time + by_plan, job("plan = \"99\"", "plan < 5")},
      {"fillfactor 50, all HOT", filled(kUser, kValues, rows, " WITH (fillfactor = 50)") + by_time,
       job("done = \"true\"", "done IS NULL")},
      {"full pages, interleaved", users + by_time, job("done = \"true\"", "done IS NULL")},
      {"one row of ten matches", users + by_time,
       job("done = \"true\"", "done IS NULL AND abs(hashint8(id)) % 10 = 3")},
      {"the last third matches", users + by_time,
       job("name = \"upper(name)\"", "id > " + std::to_string(2 * rows / 3) + " AND name <> upper(name)")},
      {"uuid key, rows in another order",
       filled("id uuid PRIMARY KEY, name text, plan int", "md5(i::text)::uuid, 'Some Name ' || i, i % 7",
              rows),
       job("plan = \"plan + 1\"")},
      {"five indexes", users + by_time + by_plan + spread + "CREATE INDEX ON users (name);",
       job("name = \"name || '.'\"")},
      {"four partitions", partitioned(rows), job("plan = \"plan + 1\"")},
      {"with traffic", users + by_time, job("done = \"true\""), true},
  };
}

}  // namespace pgsluice::bench
