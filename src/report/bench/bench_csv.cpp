// bench_csv: one line per setting, for spreadsheets.
#include <array>
#include <cstdio>

#include "report/bench/bench_columns.hpp"

namespace pgsluice {
namespace {

constexpr const char* kLineEnd = "\r\n";  // RFC 4180

std::string number(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : "; ") + text;
  return out;
}

}  // namespace

std::string bench_csv(const BenchReport& report) {
  std::string csv = "walk,lanes,rows,trials,is_winner";
  for (const auto& column : report::kBenchColumns) {
    const std::string name = column.name;
    csv += "," + name + "," + name + "_min," + name + "_max";
  }
  csv += std::string(",remarks") + kLineEnd;
  for (std::size_t i = 0; i < report.figures.size(); ++i) {
    const auto& f = report.figures[i];
    csv += std::string(walk_name(f.setting.walk)) + "," + std::to_string(f.setting.lanes) + "," +
           std::to_string(f.setting.rows) + "," + std::to_string(f.trials) + "," +
           (report.winner == i ? "true" : "false");
    for (const auto& column : report::kBenchColumns) {
      const Spread& s = f.*column.figure;
      csv += s.is_known() ? "," + number(s.median) + "," + number(s.min) + "," + number(s.max) : ",,,";
    }
    csv += "," + quoted(joined(f.remarks)) + kLineEnd;
  }
  return csv;
}

}  // namespace pgsluice
