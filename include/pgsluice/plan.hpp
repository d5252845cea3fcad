#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/foretold.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice {

/// One statement as it will be sent, and the lock it takes.
struct PlannedStatement {
  std::string sql;
  std::string lock;          // "ACCESS EXCLUSIVE on \"public\".\"users\", lock_timeout 300 ms"
  bool is_repeated = false;  // once per batch
  std::string when{};        // "first batch of the table", "last batch of a range"; empty: always
};

/// What a step will send, unless it is done, and how it is undone.
struct PlannedStep {
  std::string name;
  std::string kind;
  std::optional<StepState> state;            // nothing: not in the ledger
  std::vector<PlannedStatement> statements;  // in order
  std::string walk;                          // "keyset along (\"id\")"; empty unless rows are walked
  std::string walk_reason;                   // why that walk, in words
  // Estimates, each the likely value of `foretold` where there is one; 0: none can be made.
  std::int64_t rows_estimated = 0;  // to visit
  std::int64_t wal_bytes_estimated = 0;
  std::chrono::milliseconds duration_estimated{0};
  std::optional<Foretold> foretold{};
  std::string undo;  // how rollback undoes it, or why it cannot
  bool can_be_undone = false;
  std::vector<std::string> notes;  // warnings: volatile functions, triggers that will fire, …
};

/// The whole job as `plan` prints it.
struct Plan {
  std::string job;
  std::string target;  // the database, without secrets
  std::vector<PlannedStep> steps;
};

/// What `plan` may do.
struct PlanOptions {
  /// Run a few small batches of each backfill and roll them back, for estimates within a few per cent.
  /// Without it, nothing is written at all and estimates come from the catalog alone.
  bool is_sampled = true;
};

/// One result of preflight.
struct Finding {
  enum class Level {
    kRefuse,  // run ends with it before its first write
    kWarn,    // run goes on
    kInform,
  };
  Level level = Level::kInform;
  std::string check;    // "privileges", "key", "plan", "long transactions", …
  std::string message;  // names the object
  std::string hint;     // what to do about it
  int exit_code = 5;    // for a refusal: 5, or 77 for privileges
};

/// The `check` of every warning that there is, for those who name the ones that they accept.
inline constexpr std::array kWarnings{"backups",
                                      "before-images",
                                      "columns",
                                      "deferrable",
                                      "expressions",
                                      "foreign keys",
                                      "indexes",
                                      "locks",
                                      "long transactions",
                                      "old keys",
                                      "orphans",
                                      "plan",
                                      "prepared transactions",
                                      "privileges",
                                      "publications",
                                      "rehearsal",
                                      "retype",
                                      "rules",
                                      "sequences",
                                      "slots",
                                      "statistics",
                                      "synchronous standbys",
                                      "table",
                                      "triggers",
                                      "unique",
                                      "volatile functions",
                                      "wraparound"};

}  // namespace pgsluice
