#include "report/bench/bench_columns.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/units.hpp"

namespace pgsluice::report {

std::string setting_in_words(const BenchSetting& setting) {
  return std::string(walk_name(setting.walk)) + ", " + std::to_string(setting.lanes) +
         (setting.lanes == 1 ? " lane, " : " lanes, ") + base::format_count(setting.rows) + " rows";
}

std::string figure_text(double value, int decimals) {
  if (decimals == 0) return base::format_count(std::llround(value));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string bench_headline(const BenchReport& report) {
  std::string text = "step \"" + report.step + "\" of job \"" + report.job + "\" on " + report.table;
  text += report.on_copy ? ", on copies of " + base::format_count(report.copy_rows) + " rows"
                         : ", each batch rolled back";
  text += ": " + std::to_string(report.trials_done) + " of " + std::to_string(report.trials_planned) +
          " trials in " +
          base::format_duration(std::chrono::milliseconds{std::llround(1e3 * report.elapsed_s)}) + ", seed " +
          std::to_string(report.seed);
  return text;
}

}  // namespace pgsluice::report
