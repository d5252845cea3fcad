#include "kinds/retype/rehearsal/sampled_rows.hpp"

#include <chrono>

#include "pg/connection/savepoint.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kRowsMost = "100";  // of each table, plus the parents of its children
constexpr const char* kPagesWanted = "20";
constexpr int kRoundsMost = 5;                    // of parents of parents within one table
constexpr const char* kTimeMost = "1000";         // milliseconds for one query
constexpr std::chrono::seconds kSamplingMost{5};  // for all of them

// Columns that an INSERT may list.
constexpr const char* kColumns = R"sql(
SELECT array_agg(a.attname ORDER BY a.attnum)::text[]
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
)sql";

// Percentage of the pages; all pages of a small table.
constexpr const char* kShare = R"sql(
SELECT least(100, greatest(0.0001, 100.0 * $2::numeric / greatest(1, coalesce(sum(c.relpages), 1))))
FROM pg_catalog.pg_class c
WHERE c.oid = $1::oid OR c.oid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = $1::oid)
)sql";

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// `a.x = b.y AND …`
std::string pairs(const std::string& a, const std::vector<std::string>& xs, const std::string& b,
                  const std::vector<std::string>& ys) {
  std::string sql;
  for (std::size_t i = 0; i < xs.size(); ++i)
    sql += (i ? " AND " : "") + (a + "." + quoted(xs[i])) + " = " + b + "." + quoted(ys[i]);
  return sql;
}

std::string qualified(const std::vector<std::string>& columns) {
  std::string list;
  for (const auto& column : columns)
    list += (list.empty() ? "" : ", ") + ("pgsluice_found." + quoted(column));
  return list;
}

/// Lives for one sampling.
class Sample {
 public:
  Sample(pg::Session& session, const Graph& real, const Graph& likeness)
      : session_(session), real_(real), like_(likeness) {
    session_.exec(std::string("SET LOCAL statement_timeout = ") + kTimeMost);
    for (std::size_t t = real.tables.size(); t-- > 0;) take_some(t);
    for (int round = 0; round < kRoundsMost; ++round) take_parents();
    while (drop_orphans() > 0) {
      // Rows that referred to one of them are orphans now; each round deletes some rows.
    }
  }

  std::vector<std::string> remarks() && { return std::move(remarks_); }

 private:
  /// The number of rows affected; 0 if it failed or the time is up.
  std::int64_t run(const std::string& what, const std::string& sql) {
    if (std::chrono::steady_clock::now() > end_) return 0;
    std::int64_t rows = 0;
    if (const auto failure = pg::attempt(session_, [&] { rows = session_.exec(sql).affected(); }))
      remarks_.push_back(what + ": " + failure->what());
    return rows;
  }

  std::vector<std::string> columns_of(std::size_t t) {
    return pg::from_array(session_.exec(kColumns, {std::to_string(real_.tables[t].oid)}).text(0, 0));
  }
  std::string insert(std::size_t t, const std::vector<std::string>& columns) {
    return "INSERT INTO " + like_.tables[t].sql() + " (" + pg::column_list(columns) +
           ") OVERRIDING SYSTEM VALUE ";
  }

  void take_some(std::size_t t) {
    const auto& table = real_.tables[t];
    const auto columns = columns_of(t);
    const auto share = session_.exec(kShare, {std::to_string(table.oid), kPagesWanted}).text(0, 0);
    run("no rows of " + table.sql() + " were sampled",
        insert(t, columns) + "SELECT " + pg::column_list(columns) + " FROM " + table.sql() +
            " TABLESAMPLE SYSTEM (" + share + ") LIMIT " + kRowsMost);
  }

  /// One look-up for each reference: OFFSET 0 keeps the planner from making it a join over the whole table.
  void take_parents() {
    for (std::size_t k = real_.foreign_keys.size(); k-- > 0;) {
      const auto& key = real_.foreign_keys[k];
      const auto parent = static_cast<std::size_t>(key.ref_table);
      const auto& table = real_.tables[parent];
      const auto columns = columns_of(parent);
      run("parents of " + key.name,
          insert(parent, columns) + "SELECT DISTINCT ON (" + qualified(table.key) + ") " +
              qualified(columns) + " FROM " + like_.tables[static_cast<std::size_t>(key.table)].sql() +
              " AS pgsluice_child, LATERAL (SELECT * FROM " + table.sql() + " AS pgsluice_parent WHERE " +
              pairs("pgsluice_parent", key.ref_columns, "pgsluice_child", key.columns) +
              " OFFSET 0) AS pgsluice_found" + " WHERE NOT EXISTS (SELECT FROM " +
              like_.tables[parent].sql() + " AS pgsluice_have WHERE " +
              pairs("pgsluice_have", table.key, "pgsluice_found", table.key) + ")");
    }
  }

  std::int64_t drop_orphans() {
    std::int64_t dropped = 0;
    for (const auto& key : like_.foreign_keys) {
      const auto& child = like_.tables[static_cast<std::size_t>(key.table)];
      const auto& parent = like_.tables[static_cast<std::size_t>(key.ref_table)];
      std::string filled;
      for (const auto& column : key.columns)
        filled += "pgsluice_child." + quoted(column) + " IS NOT NULL AND ";
      dropped += run("orphans of " + key.name,
                     "DELETE FROM " + child.sql() + " AS pgsluice_child WHERE " + filled +
                         "NOT EXISTS (SELECT FROM " + parent.sql() + " AS pgsluice_parent WHERE " +
                         pairs("pgsluice_parent", key.ref_columns, "pgsluice_child", key.columns) + ")");
    }
    return dropped;
  }

  pg::Session& session_;
  const Graph& real_;
  const Graph& like_;
  std::vector<std::string> remarks_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kSamplingMost;
};

}  // namespace

std::vector<std::string> sample_rows(pg::Session& session, const Graph& real, const Graph& likeness) {
  return Sample(session, real, likeness).remarks();
}

}  // namespace pgsluice::steps::retype
