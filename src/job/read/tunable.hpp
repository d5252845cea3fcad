#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

enum class Quantity { kCount, kDuration, kBytes };

/// One number of a job that may change between runs and during one: the same table serves the job file, --env
/// and `set`. Durations are in milliseconds.
struct Tunable {
  std::string_view section;  // empty: top level of the file
  std::string_view key;
  Quantity quantity;
  std::int64_t least;
  std::int64_t most;
  std::int64_t (*get)(const Tunables&);
  void (*set)(Tunables&, std::int64_t);
};

std::span<const Tunable> tunables();

/// "batch.target"; "max_quarantined" at the top level.
std::string tunable_name(const Tunable& tunable);

/// Reads what a person wrote ("100ms", "64MB", "500") and checks its bounds.
Checked<std::int64_t> read_amount(const Tunable& tunable, std::string_view text);
/// Checks only the bounds; nullopt: fine.
std::optional<Refusal> check_bounds(const Tunable& tunable, std::int64_t amount);
/// What the tunable's values look like: "a duration with its unit, such as \"100ms\"".
std::string amount_words(const Tunable& tunable);

/// Two values that contradict each other; `key` is the one in [batch] to complain about.
struct Conflict {
  std::string key;
  Refusal refusal;
};
std::optional<Conflict> find_conflict(const BatchLimits& batch);

}  // namespace pgsluice::job
