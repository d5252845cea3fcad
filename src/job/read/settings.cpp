#include "job/read/settings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "job/read/tunable.hpp"

namespace pgsluice::job {
namespace {

/// A count is a TOML integer, a duration or a size is a string with its unit.
std::optional<std::int64_t> read_tunable(Section& section, const Tunable& tunable) {
  const toml::node* node = section.node(tunable.key);
  if (node == nullptr) return std::nullopt;
  const bool count = tunable.quantity == Quantity::kCount;
  if (count ? !node->is_integer() : !node->is_string()) {
    section.refuse_type(*node, tunable.key, amount_words(tunable));
    return std::nullopt;
  }
  if (!count) {
    auto amount = read_amount(tunable, node->as_string()->get());
    if (const auto* value = std::get_if<std::int64_t>(&amount)) return *value;
    section.refuse(tunable.key, std::get<Refusal>(amount));
    return std::nullopt;
  }
  const std::int64_t amount = node->as_integer()->get();
  if (auto refusal = check_bounds(tunable, amount)) {
    section.refuse(tunable.key, *refusal);
    return std::nullopt;
  }
  return amount;
}

/// Returns the keys whose values were refused.
std::vector<std::string_view> read_tunables(Section& section, std::string_view name, Settings& settings) {
  std::vector<std::string_view> refused;
  for (const Tunable& tunable : tunables()) {
    if (tunable.section != name) continue;
    const auto amount = read_tunable(section, tunable);
    if (amount) tunable.set(settings.job.tunables, *amount);
    if (!section.has(tunable.key)) continue;
    if (name == "batch") settings.written.emplace(tunable.key);
    if (!amount) refused.push_back(tunable.key);
  }
  return refused;
}

/// Defaults of keys that are not written adapt to those that are: `rows_max = 500` alone also lowers the
/// first batch. A written value is never changed, and rows_max, the limit, never changes by itself.
void fit_defaults(Settings& settings) {
  BatchLimits& batch = settings.job.tunables.batch;
  const auto written = [&](const char* key) { return settings.written.contains(key); };
  if (!written("rows")) batch.rows = std::min(BatchLimits{}.rows, batch.rows_max);
  if (!written("rows_min")) batch.rows_min = std::min({BatchLimits{}.rows_min, batch.rows, batch.rows_max});
  if (!written("rows")) batch.rows = std::min(std::max(batch.rows, batch.rows_min), batch.rows_max);
}

void read_batch(Section& section, Settings& settings) {
  const auto refused = read_tunables(section, "batch", settings);
  fit_defaults(settings);
  const auto conflict = find_conflict(settings.job.tunables.batch);
  if (!conflict || settings.has_conflict) return;
  settings.has_conflict = true;
  // A refused row count was replaced by its default: a conflict with that would not be a mistake in the file.
  const bool readable = std::all_of(refused.begin(), refused.end(), [](auto key) { return key == "target"; });
  if (readable) section.refuse(conflict->key, conflict->refusal);
}

void read_throttle(Section& section, Settings& settings) {
  read_tunables(section, "throttle", settings);
  const auto names = section.texts("ignore", false);
  if (!names) return;
  settings.job.tunables.throttle.ignore.clear();
  for (const auto& name : *names) {
    if (name.value.empty()) {
      section.refuse_at(name.where, "ignore",
                        {"contains an empty name", "write the application_name of the replica"});
    }
    settings.job.tunables.throttle.ignore.push_back(name.value);
  }
}

void read_between(Section& section, Window& window) {
  const toml::node* node = section.node("between");
  const Refusal wanted{"must be two times of day", "write between = [\"22:00\", \"06:00\"]"};
  const auto* list = node->as_array();
  if (list == nullptr || list->size() != 2) return section.refuse("between", wanted);
  int* const minutes[] = {&window.from_minute, &window.to_minute};
  for (std::size_t i = 0; i < 2; ++i) {
    const toml::node& item = (*list)[i];
    const auto minute = item.is_string() ? base::parse_time_of_day(item.as_string()->get()) : std::nullopt;
    if (!minute) return section.refuse_at(position_of(item), "between", wanted);
    *minutes[i] = *minute;
  }
  if (window.from_minute != window.to_minute) return;
  section.refuse("between", {"begins and ends at the same time", "leave out [window] to work at any hour"});
}

void read_timezone(Section& section, Window& window) {
  const auto timezone = section.text("timezone");
  if (!timezone) return;
  const bool plain =
      std::none_of(timezone->begin(), timezone->end(), [](char c) { return c >= 0 && c <= ' '; });
  if (timezone->empty() || !plain) {
    section.refuse("timezone",
                   {"is not the name of a time zone", "write an IANA name such as \"Europe/Berlin\""});
  }
  window.timezone = *timezone;
}

void read_window(Section& section, Settings& settings) {
  const bool is_overlay = settings.job.window.has_value();
  Window window = settings.job.window.value_or(Window{0, 0, "UTC"});
  if (is_overlay ? section.has("between")
                 : section.require("between", "write between = [\"22:00\", \"06:00\"]")) {
    read_between(section, window);
  }
  section.node("between");
  read_timezone(section, window);
  settings.job.window = window;
}

constexpr Milliseconds kHookLeast{1'000};     // less would end what has only just begun
constexpr Milliseconds kHookMost{3'600'000};  // an hour: a run that waits longer looks forgotten

void read_hook_timeout(Section& section, Hooks& hooks) {
  const auto text = section.text("hook_timeout");
  if (!text) return;
  const auto duration = base::parse_duration(*text);
  const auto bounds = base::duration_text(kHookLeast) + " and " + base::duration_text(kHookMost);
  if (!duration) {
    section.refuse(
        "hook_timeout",
        {"must be a duration with its unit (ms, s, min, h, d), such as \"30s\", not \"" + *text + "\"",
         "between " + bounds});
  } else if (*duration < kHookLeast || *duration > kHookMost) {
    section.refuse("hook_timeout",
                   {"must be between " + bounds + ", not " + base::duration_text(*duration), {}});
  } else {
    hooks.timeout = *duration;
  }
}

/// A zero byte would cut the command short.
void read_hook(Section& section, const char* key, std::string& command) {
  auto text = section.text(key);
  if (!text) return;
  if (text->find('\0') != std::string::npos)
    section.refuse(key, {"holds a zero byte", "write the command as in a shell"});
  command = std::move(*text);
}

void read_part(Section& section, const char* key, Settings& settings, void (*read)(Section&, Settings&)) {
  auto part = section.section(key);
  if (!part) return;
  read(*part, settings);
  part->finish();
}

}  // namespace

void read_settings(Section& section, Settings& settings) {
  if (auto text = section.text("description")) settings.job.description = std::move(*text);
  if (auto text = section.text("dsn")) settings.job.dsn = std::move(*text);
  if (auto text = section.text("direct_dsn")) settings.job.direct_dsn = std::move(*text);
  read_hook(section, "before", settings.job.hooks.before);
  read_hook(section, "after", settings.job.hooks.after);
  read_hook_timeout(section, settings.job.hooks);
  read_tunables(section, "", settings);
  read_part(section, "pool", settings,
            [](Section& part, Settings& into) { read_tunables(part, "pool", into); });
  read_part(section, "batch", settings, read_batch);
  read_part(section, "throttle", settings, read_throttle);
  read_part(section, "window", settings, read_window);
}

}  // namespace pgsluice::job
