#include "job/read/tunable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "job/read/suggestion.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice {
namespace job {
namespace {

constexpr std::int64_t kSecond = 1'000;  // ms
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 24 * 60 * kMinute;

// One lane is one connection and one server process: more than this only queue for the same disks.
constexpr std::int64_t kLanesMost = 64;
// More rows in one transaction are no longer a batch: it holds row locks and the xmin horizon for seconds.
constexpr std::int64_t kRowsMost = 1'000'000;
// A quarantine of more rows means that the job is wrong, not the rows.
constexpr std::int64_t kQuarantinedMost = 1'000'000;
// Less than the server's clock resolution cannot be aimed at; above a minute every row lock is an outage.
constexpr std::int64_t kTargetLeast = 1;
constexpr std::int64_t kTargetMost = kMinute;
// Lock waits are polled a few times a second, so less cannot be seen.
constexpr std::int64_t kLockWaitLeast = 10;
constexpr std::int64_t kReplicaLagLeast = 10;
// In per cent. Less cannot be distinguished from chance; the maximum means that it does not matter.
constexpr std::int64_t kSlowdownLeast = 10;
constexpr std::int64_t kBytesLeast = 1'024;
constexpr std::int64_t kBytesMost = 1LL << 50;  // 1,024 TB

#define PGSLUICE_FIELD(field)                                    \
  [](const Tunables& all) -> std::int64_t { return all.field; }, \
      [](Tunables& all, std::int64_t value) { all.field = static_cast<decltype(all.field)>(value); }
#define PGSLUICE_DURATION(field)                                         \
  [](const Tunables& all) -> std::int64_t { return all.field.count(); }, \
      [](Tunables& all, std::int64_t value) { all.field = Milliseconds(value); }

constexpr std::array kTunables = {
    Tunable{"", "max_quarantined", Quantity::kCount, 0, kQuarantinedMost, PGSLUICE_FIELD(max_quarantined)},
    Tunable{"pool", "lanes", Quantity::kCount, 1, kLanesMost, PGSLUICE_FIELD(lanes)},
    Tunable{"batch", "rows", Quantity::kCount, 1, kRowsMost, PGSLUICE_FIELD(batch.rows)},
    Tunable{"batch", "target", Quantity::kDuration, kTargetLeast, kTargetMost,
            PGSLUICE_DURATION(batch.target)},
    Tunable{"batch", "rows_min", Quantity::kCount, 1, kRowsMost, PGSLUICE_FIELD(batch.rows_min)},
    Tunable{"batch", "rows_max", Quantity::kCount, 1, kRowsMost, PGSLUICE_FIELD(batch.rows_max)},
    Tunable{"throttle", "replica_lag", Quantity::kDuration, kReplicaLagLeast, kDay,
            PGSLUICE_DURATION(throttle.replica_lag)},
    Tunable{"throttle", "replica_lag_bytes", Quantity::kBytes, kBytesLeast, kBytesMost,
            PGSLUICE_FIELD(throttle.replica_lag_bytes)},
    Tunable{"throttle", "lock_wait", Quantity::kDuration, kLockWaitLeast, kMinute,
            PGSLUICE_DURATION(throttle.lock_wait)},
    Tunable{"throttle", "slowdown", Quantity::kCount, kSlowdownLeast, ThrottleLimits::kSlowdownMost,
            PGSLUICE_FIELD(throttle.slowdown)},
    Tunable{"throttle", "give_up", Quantity::kDuration, kSecond, 30 * kDay,
            PGSLUICE_DURATION(throttle.give_up)}};

#undef PGSLUICE_FIELD
#undef PGSLUICE_DURATION

std::string amount_text(const Tunable& tunable, std::int64_t amount) {
  switch (tunable.quantity) {
    case Quantity::kDuration:
      return base::duration_text(Milliseconds(amount));
    case Quantity::kBytes:
      return base::bytes_text(amount);
    case Quantity::kCount:
      break;
  }
  return base::format_count(amount);
}

std::optional<std::int64_t> parse_amount(Quantity quantity, std::string_view text) {
  if (quantity == Quantity::kBytes) return base::parse_bytes(text);
  if (quantity == Quantity::kDuration) {
    const auto duration = base::parse_duration(text);
    return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
  }
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional<std::int64_t>(count) : std::nullopt;
}

}  // namespace

std::span<const Tunable> tunables() {
  return kTunables;
}

std::string tunable_name(const Tunable& tunable) {
  const std::string key(tunable.key);
  return tunable.section.empty() ? key : std::string(tunable.section) + "." + key;
}

std::string amount_words(const Tunable& tunable) {
  switch (tunable.quantity) {
    case Quantity::kDuration:
      return "a duration with its unit (ms, s, min, h, d), such as \"500ms\"";
    case Quantity::kBytes:
      return "a size with its unit (B, kB, MB, GB, TB), such as \"64MB\"";
    case Quantity::kCount:
      break;
  }
  return "a whole number";
}

std::optional<Refusal> check_bounds(const Tunable& tunable, std::int64_t amount) {
  if (amount >= tunable.least && amount <= tunable.most) return std::nullopt;
  return Refusal{"must be between " + amount_text(tunable, tunable.least) + " and " +
                     amount_text(tunable, tunable.most) + ", not " + amount_text(tunable, amount),
                 "the default is " + amount_text(tunable, tunable.get(Tunables{}))};
}

Checked<std::int64_t> read_amount(const Tunable& tunable, std::string_view text) {
  const auto amount = parse_amount(tunable.quantity, text);
  if (!amount) {
    return Refusal{"must be " + amount_words(tunable) + ", not \"" + std::string(text) + "\"",
                   "the default is " + amount_text(tunable, tunable.get(Tunables{}))};
  }
  if (auto refusal = check_bounds(tunable, *amount)) return std::move(*refusal);
  return *amount;
}

std::optional<Conflict> find_conflict(const BatchLimits& batch) {
  const auto count = [](std::int64_t rows) { return base::format_count(rows); };
  if (batch.rows_min > batch.rows_max) {
    return Conflict{"rows_min",
                    {"(" + count(batch.rows_min) + ") is above rows_max (" + count(batch.rows_max) + ")",
                     "rows_min ≤ rows ≤ rows_max"}};
  }
  if (batch.rows < batch.rows_min) {
    return Conflict{"rows",
                    {"(" + count(batch.rows) + ") is below rows_min (" + count(batch.rows_min) + ")",
                     "rows_min ≤ rows ≤ rows_max"}};
  }
  if (batch.rows > batch.rows_max) {
    return Conflict{
        "rows",
        {"(" + count(batch.rows) + ") is above rows_max (" + count(batch.rows_max) + ")",
         "rows_min ≤ rows ≤ rows_max; the default of rows_max is " + count(BatchLimits{}.rows_max)}};
  }
  return std::nullopt;
}

namespace {

/// "a, b" → {"a", "b"}; blanks around a name are ignored.
std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : text + ",") {
    if (c != ',') {
      name += c;
      continue;
    }
    const auto first = name.find_first_not_of(' ');
    if (first != std::string::npos)
      names.push_back(name.substr(first, name.find_last_not_of(' ') - first + 1));
    name.clear();
  }
  return names;
}

std::string unknown_tunable(const std::string& key) {
  std::vector<std::string> names;
  for (const Tunable& tunable : kTunables) names.push_back(tunable_name(tunable));
  names.emplace_back("throttle.ignore");
  return "unknown setting \"" + key + "\"; " + suggestion(key, names, "settings");
}

/// The size of the first batch follows the bounds when these are changed alone.
void follow_bounds(BatchLimits& batch, std::string_view key) {
  if (key != "rows_min" && key != "rows_max") return;
  if (batch.rows_min > batch.rows_max) return;
  batch.rows = std::clamp(batch.rows, batch.rows_min, batch.rows_max);
}

}  // namespace
}  // namespace job

std::string apply_tunable(Tunables& tunables, const std::string& key, const std::string& value) {
  if (key == "throttle.ignore") {
    tunables.throttle.ignore = job::split_names(value);
    return {};
  }
  const auto all = job::tunables();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const job::Tunable& tunable) { return job::tunable_name(tunable) == key; });
  if (found == all.end()) return job::unknown_tunable(key);
  const auto amount = job::read_amount(*found, value);
  if (const auto* refusal = std::get_if<job::Refusal>(&amount)) return key + " " + refusal->message;
  Tunables changed = tunables;
  found->set(changed, std::get<std::int64_t>(amount));
  if (found->section == "batch") job::follow_bounds(changed.batch, found->key);
  if (const auto conflict = job::find_conflict(changed.batch)) {
    return "batch." + conflict->key + " " + conflict->refusal.message;
  }
  tunables = std::move(changed);
  return {};
}

}  // namespace pgsluice
