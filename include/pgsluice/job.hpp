#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice {

using Milliseconds = std::chrono::milliseconds;

/// A table as the operator wrote it, already folded and unquoted: `public.Users` is {"public", "users"},
/// `"Odd Schema"."Order Lines"` is {"Odd Schema", "Order Lines"}. An empty schema means the search_path
/// decides.
struct TableName {
  std::string schema;
  std::string name;

  bool operator==(const TableName&) const = default;
};

/// How many rows one transaction changes. The sizer moves between rows_min and rows_max to meet the target.
struct BatchLimits {
  std::int64_t rows = 1'000;  // first batch
  Milliseconds target{100};   // server time of one batch transaction
  std::int64_t rows_min = 50;
  std::int64_t rows_max = 50'000;

  bool operator==(const BatchLimits&) const = default;
};

/// When the governor holds. Zero for a limit is not "off": it is refused.
struct ThrottleLimits {
  Milliseconds replica_lag{2'000};
  std::int64_t replica_lag_bytes = 64LL * 1024 * 1024;
  Milliseconds lock_wait{200};      // somebody has waited on us this long
  Milliseconds give_up{3'600'000};  // held without a break, then the run ends with work left
  std::vector<std::string> ignore;  // application_name of replicas that are late on purpose
};

/// Hours of the day in which the job may work; may cross midnight. Minutes since 00:00, [from, to).
struct Window {
  int from_minute = 0;
  int to_minute = 0;
  std::string timezone;  // IANA name, resolved by the server
};

/// DDL that commits together with the note that it was done.
struct SqlStep {
  std::string name;
  std::vector<std::string> up;    // one statement each
  std::vector<std::string> down;  // empty: cannot be undone
};

/// CREATE INDEX CONCURRENTLY, with the recovery it needs.
struct IndexStep {
  std::string name;
  std::string sql;
};

struct Assignment {
  std::string column;      // folded, unquoted
  std::string expression;  // one SQL expression, checked by the job layer; safe to put into parentheses
};

/// UPDATE of every row that matches `where`, in keyed batches.
struct BackfillStep {
  std::string name;
  TableName table;
  std::vector<std::string> key;  // empty: the primary key, else the best unique key
  std::vector<Assignment> set;
  std::string where;  // empty: every row
};

/// A query whose single value, as the server writes it (true is "t"), must equal `expect`.
struct VerifyStep {
  std::string name;
  std::string query;
  std::string expect;
};

using Step = std::variant<SqlStep, IndexStep, BackfillStep, VerifyStep>;

const std::string& step_name(const Step& step);
/// "sql", "index", "backfill" or "verify".
const char* step_kind(const Step& step);

/// Identity of a job in the database is its name; everything but the steps is a tunable and may change
/// between runs.
struct Job {
  std::string name;
  std::string description;
  std::string dsn;         // optional; --dsn wins
  std::string direct_dsn;  // for index steps, where dsn goes through a transaction pooler
  int lanes = 2;
  std::int64_t max_quarantined = 0;
  BatchLimits batch;
  ThrottleLimits throttle;
  std::optional<Window> window;
  std::vector<Step> steps;
};

/// The part of a step that must not change once the job exists, as lines of text fit for a diff: all of it
/// but `down`, which may be mended before it runs.
std::vector<std::string> step_definition(const Step& step);

}  // namespace pgsluice
