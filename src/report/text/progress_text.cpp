#include "report/text/progress_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/units.hpp"

namespace pgsluice::report {

namespace {

// Percent. The total is an estimate and can be off by more than the last rows; only the end of a step is
// certain.
constexpr double kMostWhileRunning = 99;

std::string signal_label(const std::string& name) {
  if (name == "replica_lag" || name == "replica_lag_bytes") return "lag";
  std::string label = name;
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

std::string quantity_text(double value, const std::string& unit) {
  if (unit == "s") return seconds_text(value);
  if (unit == "bytes") return base::format_bytes(value);
  std::array<char, 64> number{};
  std::snprintf(number.data(), number.size(), "%.6g", value);
  return number.data() + (unit.empty() ? "" : " " + unit);
}

bool changes_rows(const Progress& progress) {
  return progress.rows_expected > 0 || progress.batch_rows > 0 || progress.rows.visited() > 0;
}

std::string whole_percent(double share) {
  const double percent = std::clamp(share, 0.0, 1.0) * 100;
  return std::to_string(static_cast<int>(std::floor(percent + 1e-9))) + " %";
}

}  // namespace

std::string counted_text(std::int64_t count, const char* one, const char* many) {
  return base::format_count(count) + " " + (count == 1 ? one : many);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  return base::format_duration(std::chrono::milliseconds(std::llround(std::max(seconds, 0.0) * 1e3)));
}

std::optional<double> percent_done(const Progress& progress) {
  if (progress.rows_expected <= 0) return std::nullopt;
  const double share =
      static_cast<double>(progress.rows.visited()) / static_cast<double>(progress.rows_expected);
  return std::clamp(std::floor(share * 1000) / 10, 0.0, kMostWhileRunning);
}

std::string percent_text(const std::optional<double>& percent) {
  if (!percent) return "?";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", *percent);
  return text.data();
}

std::string rows_text(const Progress& progress) {
  const std::string done = base::format_count(progress.rows.visited());
  if (progress.rows_expected <= 0) return done + " rows, total unknown";
  return done + " of ~" + base::format_count(progress.rows_expected) + " rows";
}

std::string signal_text(const SignalView& signal) {
  const std::string label = signal_label(signal.name);
  if (!signal.known || !std::isfinite(signal.value)) return label + " unknown";
  return label + " " + quantity_text(signal.value, signal.unit) + " of " +
         quantity_text(signal.limit, signal.unit);
}

std::string hold_text(const Progress& progress) {
  if (progress.hold_reason.empty()) return progress.pace <= 0 ? "held" : "";
  if (progress.pace <= 0) return "held: " + progress.hold_reason;
  return "slowed to " + whole_percent(progress.pace) + ": " + progress.hold_reason;
}

std::vector<std::string> rate_texts(const Progress& progress, const std::string& times) {
  if (!changes_rows(progress)) return {};
  const std::string size = progress.batch_rows > 0 ? base::format_count(progress.batch_rows) : "?";
  const std::string time = progress.batch_time.count() > 0 ? base::format_duration(progress.batch_time) : "?";
  return {base::format_count(std::llround(progress.rows_per_second)) + " rows/s",
          "batch " + size + " " + times + " " + counted_text(progress.lanes, "lane", "lanes"),
          time + " a batch", "pace " + whole_percent(progress.pace)};
}

std::vector<std::string> signal_texts(const Progress& progress) {
  std::vector<std::string> texts;
  for (const auto& signal : progress.signals) texts.push_back(signal_text(signal));
  return texts;
}

std::string eta_text(const Progress& progress) {
  if (!changes_rows(progress)) return {};
  return "ETA " + (progress.eta ? base::format_duration(*progress.eta) : std::string("?"));
}

std::vector<std::string> remaining_texts(const Progress& progress) {
  std::vector<std::string> texts = {"elapsed " + base::format_duration(progress.elapsed)};
  if (progress.behind)
    texts.insert(texts.begin(), base::format_behind(progress.behind->entries, progress.behind->age_s));
  if (progress.ranges_left > 0)
    texts.push_back(counted_text(progress.ranges_left, "range left", "ranges left"));
  if (progress.rows.already_right > 0) {
    texts.push_back(base::format_count(progress.rows.already_right) + " already right");
  }
  if (progress.rows.quarantined > 0)
    texts.push_back(base::format_count(progress.rows.quarantined) + " quarantined");
  if (progress.rows.unchanged > 0)
    texts.push_back(base::format_count(progress.rows.unchanged) + " unchanged");
  return texts;
}

std::string row_counts_text(const RowCounts& rows) {
  return counted_text(rows.changed, "row", "rows") + " changed, " + base::format_count(rows.already_right) +
         " already right, " + base::format_count(rows.quarantined) + " quarantined" +
         (rows.unchanged > 0 ? ", " + base::format_count(rows.unchanged) + " unchanged" : "");
}

}  // namespace pgsluice::report
