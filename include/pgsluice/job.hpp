#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
  static constexpr std::int64_t kSlowdownMost = 1'000'000;  // per cent: accepts any slowdown of others

  Milliseconds replica_lag{2'000};
  std::int64_t replica_lag_bytes = 64LL * 1024 * 1024;
  Milliseconds lock_wait{200};      // a session has waited for us this long
  std::int64_t slowdown = 50;       // per cent that others may take longer beside batches; it only slows
  Milliseconds give_up{3'600'000};  // held without a break for this long, the run ends with work left
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
  static constexpr const char* kKind = "sql";

  std::string name;
  std::vector<std::string> up;    // one statement each
  std::vector<std::string> down;  // empty: cannot be undone
};

/// CREATE INDEX CONCURRENTLY, with recovery from interrupted builds.
struct IndexStep {
  static constexpr const char* kKind = "index";

  std::string name;
  std::string sql;
};

struct Assignment {
  std::string column;      // folded, unquoted
  std::string expression;  // one SQL expression, checked by the job layer; safe to put into parentheses
};

/// How batches visit a table.
enum class Walk {
  kAuto,         // whichever the catalog and the run show to be best
  kKeyset,       // along a unique key
  kBlocks,       // heap block after heap block; for rows that no longer match `where` once done
  kInterleaved,  // blocks in windows of several passes, so that most updates are HOT
};
/// As the job file writes it: "auto", "keyset", "blocks" or "interleaved".
inline const char* walk_name(Walk walk) {
  switch (walk) {
    case Walk::kAuto:
      return "auto";
    case Walk::kKeyset:
      return "keyset";
    case Walk::kBlocks:
      return "blocks";
    case Walk::kInterleaved:
      return "interleaved";
  }
  return "";
}

/// UPDATE of every row that matches `where`, in batches.
struct BackfillStep {
  static constexpr const char* kKind = "backfill";

  std::string name;
  TableName table;
  std::vector<std::string> key;  // empty: the primary key, else the best unique key
  std::vector<Assignment> set;
  std::string where;                         // empty: every row
  Walk walk = Walk::kAuto;                   // tunable: ranges already cut keep theirs
  bool is_replica_conflict_allowed = false;  // tunable: `auto` may interleave although replicas run queries
  bool keep = false;  // before-images: key, old and new values of each changed row, so that rollback restores
  std::optional<std::chrono::hours> keep_for{};  // how long after the step's end; nothing: until drop_undo()
};

/// DELETE of every row that matches `where`, in batches; what is deleted can go to another table.
struct PurgeStep {
  static constexpr const char* kKind = "purge";

  std::string name;
  TableName table;
  std::vector<std::string> key;              // empty: the primary key, else the best unique key
  std::string where;                         // now() and the like are the time at which the step began
  Walk walk = Walk::kAuto;                   // tunable: ranges already cut keep theirs; never kInterleaved
  std::optional<TableName> archive_to{};     // gets each row, in the transaction that deletes it
  std::vector<TableName> with{};             // tables that refer to the rows: theirs are deleted first
  std::vector<TableName> allowed_effects{};  // tables that a foreign key may change or search at any price
  bool vacuum = false;                       // VACUUM (ANALYZE) afterwards
  bool repeat = false;                       // once its job is done, the job's next run begins it anew
};

/// What a constraint step asks for.
enum class Constraint { kNotNull, kCheck, kForeignKey, kUnique, kPrimaryKey };

/// A constraint added to a table in use, in steps that block nobody for long. Violating rows are found first.
struct ConstraintStep {
  static constexpr const char* kKind = "constraint";

  std::string name;
  TableName table;
  Constraint constraint = Constraint::kCheck;
  std::string constraint_name;                  // folded, unquoted: as the schema has it
  std::vector<std::string> columns;             // folded, unquoted; of all but kCheck. kNotNull: one
  std::string check;                            // of kCheck: an expression over one row
  TableName references;                         // of kForeignKey
  std::vector<std::string> referenced_columns;  // as many as `columns`
  std::string on_delete;  // "cascade", "restrict", "set null", "set default"; empty: no action
  std::string on_update;  // the same
};

/// What a copy does with a row whose key the target has already.
enum class OnConflict {
  kError,   // the run ends, and names the row
  kSkip,    // the target's row stays
  kUpdate,  // the target's row becomes the source's
};
/// As the job file writes it: "error", "skip" or "update".
inline const char* on_conflict_name(OnConflict on_conflict) {
  switch (on_conflict) {
    case OnConflict::kError:
      return "error";
    case OnConflict::kSkip:
      return "skip";
    case OnConflict::kUpdate:
      return "update";
  }
  return "";
}

/// Rows of one table copied into another, also of another database, in batches along the source's key.
struct CopyStep {
  static constexpr const char* kKind = "copy";

  std::string name;
  std::string from_dsn;  // tunable: where the source is may change; empty: the job's own database
  TableName from;
  std::string where;  // over the source's columns; empty: every row
  TableName to;
  std::vector<Assignment> columns;  // target column = expression over the source's columns; others by name
  OnConflict on_conflict = OnConflict::kError;
  bool follow = false;  // keeps up with the source until Engine::switch_over()
  bool keep = false;    // notes which rows it inserts, so that rollback can remove them
  std::optional<std::chrono::hours> keep_for{};  // how long after the step's end; nothing: until drop_undo()
  /// Several tables instead of `from` and `to`, each into the target's table of its name.
  std::vector<TableName> tables{};
};

/// A query whose single value, as the server writes it (true is "t"), must equal `expect`; or two tables that
/// must hold the same rows.
struct VerifyStep {
  static constexpr const char* kKind = "verify";

  std::string name;
  std::string query;
  std::string expect;
  std::optional<CopyStep> compare{};  // the tables, as a copy has them, instead of a query
};

/// How a new value is made of an old one.
enum class Mapping {
  kEmbed,   // the integer in the last 12 digits of a uuid
  kV5,      // uuid v5: a hash of `v5_namespace` and the old value
  kV7,      // uuid v7: the time in `v7_from`, and bits of a hash of the old value
  kRandom,  // gen_random_uuid(); the only mapping where a child must look up its parent
  kUsing,   // `using_sql`
};

/// As the job file writes it: "embed", "v5", "v7" or "random"; "using" for kUsing.
inline const char* mapping_name(Mapping mapping) {
  switch (mapping) {
    case Mapping::kEmbed:
      return "embed";
    case Mapping::kV5:
      return "v5";
    case Mapping::kV7:
      return "v7";
    case Mapping::kRandom:
      return "random";
    case Mapping::kUsing:
      return "using";
  }
  return "";
}

/// Change of a column's type while the table stays in use, with every foreign key that points at it.
struct RetypeStep {
  static constexpr const char* kKind = "retype";

  std::string name;
  std::vector<TableName> tables;  // whose primary key of one column changes; exactly one if `column` is given
  std::string column;             // folded, unquoted; empty: the primary key
  std::string to;                 // a type as SQL writes it
  Mapping mapping = Mapping::kUsing;
  std::string v5_namespace;  // a uuid; for kV5
  std::string v7_from;       // timestamp column of the key's table, folded; for kV7
  std::string using_sql;     // expression over `column` by its name; empty with kUsing: a plain cast
  std::string back_sql;      // expression over the new column, under the same name, that gives the old value;
                             // empty: a plain cast
  std::string new_ids;       // default of the new key columns after the cut-over; empty: only what the old
                             // default maps to
  bool is_cutover_auto = false;         // tunable: cutover = "auto" | "manual"
  Milliseconds kill_blockers_after{0};  // tunable: 0 = never
};

/// One step of a job, as its kind defines it: one of those above, or one that a program adds. Holds any
/// copyable struct with a `kKind` and a `name`. A value.
class Step {
 public:
  template <class Definition, class = decltype(Definition::kKind)>
  Step(Definition definition)
      : kind_(Definition::kKind),
        definition_(std::move(definition)),
        name_of_([](const std::any& any) -> const std::string& {
          return std::any_cast<const Definition&>(any).name;
        }) {}

  const std::string& name() const { return name_of_(definition_); }
  /// As the job file writes it: "sql", "index", "constraint", "backfill", "purge", "copy", "verify",
  /// "retype".
  const std::string& kind() const { return kind_; }

  /// nullptr if it is of another kind.
  template <class Definition>
  const Definition* as() const {
    return std::any_cast<Definition>(&definition_);
  }
  template <class Definition>
  Definition* as() {
    return std::any_cast<Definition>(&definition_);
  }

 private:
  std::string kind_;
  std::any definition_;
  const std::string& (*name_of_)(const std::any&);
};

/// What `pgsluice set` can change during a run.
struct Tunables {
  int lanes = 2;
  std::int64_t max_quarantined = 0;
  BatchLimits batch;
  ThrottleLimits throttle;
};

/// The environment that asks for a confirmation, whatever the job file says.
inline constexpr const char* kProduction = "production";

/// Commands that a run starts on its own machine, with /bin/sh -c; empty: none.
struct Hooks {
  std::string before;             // before the first step; the run is refused unless it exits with 0
  std::string after;              // at the end of a run that came as far as `before`
  Milliseconds timeout{300'000};  // of each; then it is ended
};

/// A job is identified in the database by its name. Everything except the steps may change between runs;
/// during a run, only its tunables.
struct Job {
  std::string name;
  std::string description;
  std::string dsn;         // optional; --dsn wins
  std::string direct_dsn;  // for index steps, if dsn goes through a transaction pooler
  Tunables tunables;
  std::optional<Window> window;
  std::vector<Step> steps;
  std::string environment{};        // the [env.NAME] that is laid over the file; empty: none
  bool is_confirmed_first = false;  // in that environment an operator confirms, and warnings stop a run
  Hooks hooks{};
};

/// The part of a step that must not change once the job exists, as lines of text fit for a diff: all of it
/// except `down`, which may be corrected before it runs, and a retype's `cutover` and `kill_blockers_after`.
std::vector<std::string> step_definition(const Step& step);

/// Whether a run of the job, once it is done, begins steps anew.
bool is_repeated(const Job& job);

}  // namespace pgsluice
