// bench_lines: what a bench found, for people.
#include <algorithm>

#include "report/bench/bench_columns.hpp"
#include "report/text/clean_text.hpp"
#include "report/text/style.hpp"

namespace pgsluice {
namespace {

using namespace report;

using Row = std::vector<std::string>;

constexpr const char* kUnknown = "n/a";
constexpr std::size_t kLeftAligned = 2;  // mark and walk; the rest are numbers
constexpr std::size_t kWidth = 110;      // of running text

bool is_shown(const BenchColumn& column, const BenchReport& report) {
  return has_traffic(report) || std::string(column.name).rfind("others", 0) != 0;
}

std::string range_text(const Spread& s, int decimals) {
  if (!s.is_known()) return "";
  if (s.count == 1) return "once";
  return figure_text(s.min, decimals) + "–" + figure_text(s.max, decimals);
}

Row head_row(const BenchReport& report) {
  Row row{"", "walk", "lanes", "rows"};
  for (const auto& column : kBenchColumns) {
    if (!is_shown(column, report)) continue;
    row.emplace_back(column.head);
    if (column.figure == &BenchFigures::rows_per_second) row.emplace_back("range");
  }
  return row;
}

Row unit_row(const BenchReport& report) {
  Row row{"", "", "", ""};
  for (const auto& column : kBenchColumns) {
    if (!is_shown(column, report)) continue;
    const bool is_rate = column.figure == &BenchFigures::rows_per_second;
    row.emplace_back(is_rate ? "" : column.unit);
    if (is_rate) row.emplace_back("");
  }
  return row;
}

Row figures_row(const BenchReport& report, std::size_t place) {
  const auto& f = report.figures[place];
  Row row{report.winner == place ? "→" : "", walk_name(f.setting.walk), std::to_string(f.setting.lanes),
          figure_text(static_cast<double>(f.setting.rows), 0)};
  for (const auto& column : kBenchColumns) {
    if (!is_shown(column, report)) continue;
    const Spread& s = f.*column.figure;
    row.push_back(s.is_known() ? figure_text(s.median, column.decimals) : kUnknown);
    if (column.figure == &BenchFigures::rows_per_second) row.push_back(range_text(s, column.decimals));
  }
  return row;
}

std::vector<std::string> aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - display_width(row[i]), ' ');
      line += (i == 0 ? "" : i == 1 ? " " : "  ") + (i < kLeftAligned ? row[i] + fill : fill + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

void add_table(const BenchReport& report, bool color, std::vector<std::string>& lines) {
  std::vector<Row> rows{head_row(report), unit_row(report)};
  for (std::size_t i = 0; i < report.figures.size(); ++i) rows.push_back(figures_row(report, i));
  auto table = aligned(rows);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool stands_out = i == 0 || (report.winner && i == *report.winner + 2);
    lines.push_back(stands_out ? styled(table[i], kBold, color) : table[i]);
  }
}

void add_text(const std::string& label, const std::string& text, std::vector<std::string>& lines) {
  const auto wrapped = wrap_line(clean_line(text), kWidth - display_width(label), true);
  std::string start = label;
  for (const auto& line : wrapped) {
    lines.push_back(start + line);
    start.assign(display_width(label), ' ');
  }
}

void add_list(const std::string& title, const std::vector<std::string>& items,
              std::vector<std::string>& lines) {
  if (items.empty()) return;
  lines.emplace_back();
  lines.push_back(title);
  for (const auto& item : items) add_text("  - ", item, lines);
}

std::vector<std::string> remarks(const BenchReport& report) {
  std::vector<std::string> out;
  for (const auto& f : report.figures) {
    for (const auto& remark : f.remarks)
      out.push_back(setting_in_words(f.setting) + ": a trial was not counted: " + remark);
  }
  return out;
}

void add_advice(const BenchReport& report, std::vector<std::string>& lines) {
  if (report.advice.empty()) return;
  lines.emplace_back();
  lines.emplace_back("for the job file:");
  lines.emplace_back();
  for (std::size_t at = 0; at < report.advice.size();) {
    const auto end = std::min(report.advice.find('\n', at), report.advice.size());
    lines.push_back("    " + clean_line(report.advice.substr(at, end - at)));
    if (lines.back() == "    ") lines.back().clear();
    at = end + 1;
  }
}

}  // namespace

std::vector<std::string> bench_lines(const BenchReport& report, bool color) {
  std::vector<std::string> lines;
  add_text("", bench_headline(report), lines);
  if (!report.ended_early.empty()) add_text("ended early: ", report.ended_early, lines);
  lines.emplace_back();
  add_table(report, color, lines);
  lines.emplace_back();
  if (has_traffic(report)) {
    add_text("",
             "the traffic, " + figure_text(report.others_rate, 0) + " transactions/s, sees without us: p50 " +
                 figure_text(report.others_alone_p50_ms.median, 1) + " ms, p99 " +
                 figure_text(report.others_alone_p99_ms.median, 1) + " ms",
             lines);
  }
  add_text(report.winner ? "→ " : "no winner: ", report.verdict, lines);
  add_advice(report, lines);
  add_list("how each figure was measured (medians):", report.methods, lines);
  add_list("caveats:", report.notes, lines);
  add_list("not counted:", remarks(report), lines);
  add_list("left out:", report.left_out, lines);
  return lines;
}

}  // namespace pgsluice
