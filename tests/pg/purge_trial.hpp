#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "pg/trial.hpp"

namespace pgsluice::test {

constexpr const char* kOld = "created_at < now() - interval '90 days'";
inline const std::string kSmallBatches =
    "[batch]\nrows = 100\nrows_min = 100\nrows_max = 100\n[pool]\nlanes = 2\n";

inline std::string purge_job(const std::string& table, const std::string& rest,
                             const std::string& settings = kSmallBatches) {
  return "name = \"j\"\n" + settings + "[[step]]\nkind = \"purge\"\nname = \"old\"\ntable = \"" + table +
         "\"\n" + rest + "\n";
}

inline std::string where(const std::string& text) {
  return "where = \"" + text + "\"\n";
}

/// A table with rows that are to go, and the copy that shows which. Confined to the test's thread.
class PurgeTest : public testing::Test {
 protected:
  /// 3,000 rows of all kinds of values; every third is older than 90 days. `was` is a copy.
  void make_audit(const std::string& key = "PRIMARY KEY (id)", const std::string& partition = {}) {
    auto& db = trial_.db();
    db.exec(
        "CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TYPE pair AS (a int, b text);"
        "CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY, tenant int NOT NULL DEFAULT 1, "
        "created_at timestamptz NOT "
        "NULL, at date, body text, j json, jb jsonb, p point, n numeric, list text[], m mood, pr pair, f "
        "float8, bytes bytea, "
        "loud text GENERATED ALWAYS AS (upper(body)) STORED, gone int, " +
        key + ") " + partition);
    if (!partition.empty())
      db.exec(
          "CREATE TABLE audit_low PARTITION OF audit FOR VALUES FROM (MINVALUE) TO (1000);"
          "CREATE TABLE audit_high PARTITION OF audit FOR VALUES FROM (1000) TO (MAXVALUE)");
    db.exec(
        "ALTER TABLE audit DROP COLUMN gone;"
        "INSERT INTO audit (created_at, at, body, j, jb, p, n, list, m, pr, f, bytes) SELECT now() - CASE g "
        "% 3 WHEN 0 "
        "THEN 100 ELSE 10 END * interval '1 day', CASE g % 5 WHEN 0 THEN 'infinity' ELSE date '0044-03-15 "
        "BC' END, "
        "CASE g % 100 WHEN 0 THEN repeat(md5(g::text), 500) WHEN 1 THEN NULL ELSE 'was ' || g END, '{\"a\": "
        "1.00}', "
        "'{\"b\": 1.0}', point(g, 0.1), (g || '.' || repeat('0', g % 4))::numeric, ARRAY['a', NULL, "
        "g::text], 'bad', "
        "ROW(g, 'x')::pair, 'NaN', '\\x00ff' FROM generate_series(1, 3000) g;"
        "CREATE TABLE was AS SELECT * FROM audit; ANALYZE audit");
  }

  /// What is in the archive and what is left, against the copy. Compared as text: json has no equality.
  void expect_exact(const std::string& archive = "kept") {
    const std::string old = "SELECT md5(w::text) FROM was w WHERE " + std::string(kOld);
    const std::string young = "SELECT md5(w::text) FROM was w WHERE NOT " + std::string(kOld);
    const auto differs = [](const std::string& a, const std::string& b) {
      return "SELECT count(*) FROM ((" + a + " EXCEPT ALL " + b + ") UNION ALL (" + b + " EXCEPT ALL " + a +
             ")) d";
    };
    EXPECT_EQ(trial_.db().number(differs("SELECT md5(a::text) FROM audit a", young)), 0);
    if (!archive.empty()) {
      EXPECT_EQ(trial_.db().number(differs("SELECT md5(a::text) FROM " + archive + " a", old)), 0);
    }
  }

  void expect_exit(int code, const Finished& finished) {
    EXPECT_EQ(finished.code(), code) << finished.out << finished.err;
  }
  std::int64_t count(const std::string& table) { return trial_.db().number("SELECT count(*) FROM " + table); }

  Trial trial_;
};

}  // namespace pgsluice::test
