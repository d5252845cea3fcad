// bench_html: one self-contained page with plots.
#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "report/bench/bench_columns.hpp"
#include "report/bench/bench_plot.hpp"
#include "report/bench/bench_style.hpp"

namespace pgsluice {
namespace {

using namespace report;

/// A row of plots, one for each walk, with the same y axis.
struct Panel {
  const char* heading;
  const char* explanation;
  const BenchColumn& column;
  std::vector<PlotGuide> guides;
};

const BenchColumn& column_of(Spread BenchFigures::*figure) {
  return *std::find_if(kBenchColumns.begin(), kBenchColumns.end(),
                       [&](const BenchColumn& c) { return c.figure == figure; });
}

std::vector<Walk> walks_of(const BenchReport& report) {
  std::vector<Walk> walks;
  for (const auto& f : report.figures) {
    if (std::find(walks.begin(), walks.end(), f.setting.walk) == walks.end()) walks.push_back(f.setting.walk);
  }
  return walks;
}

std::vector<int> lanes_of(const BenchReport& report) {
  std::set<int> lanes;
  for (const auto& f : report.figures) lanes.insert(f.setting.lanes);
  return {lanes.begin(), lanes.end()};
}

std::string lanes_text(int lanes) {
  return std::to_string(lanes) + (lanes == 1 ? " lane" : " lanes");
}

std::string hint_of(const BenchFigures& f, const BenchColumn& column) {
  const Spread& s = f.*column.figure;
  return setting_in_words(f.setting) + ": " + figure_text(s.median, column.decimals) + " " + column.unit +
         " (" + figure_text(s.min, column.decimals) + " to " + figure_text(s.max, column.decimals) + ", " +
         std::to_string(s.count) + (s.count == 1 ? " trial)" : " trials)");
}

PlotSeries series_of(const BenchReport& report, Walk walk, int lanes, int hue, const BenchColumn& column) {
  PlotSeries series{lanes_text(lanes), hue, {}};
  for (std::size_t i = 0; i < report.figures.size(); ++i) {
    const auto& f = report.figures[i];
    const Spread& s = f.*column.figure;
    if (f.setting.walk != walk || f.setting.lanes != lanes || !s.is_known()) continue;
    series.points.push_back({static_cast<double>(f.setting.rows), s.median, s.min, s.max, report.winner == i,
                             hint_of(f, column)});
  }
  std::sort(series.points.begin(), series.points.end(),
            [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
  return series;
}

double highest(const BenchReport& report, const BenchColumn& column) {
  double top = 0;
  for (const auto& f : report.figures) top = std::max(top, (f.*column.figure).max);
  return top;
}

std::string panel_html(const BenchReport& report, const Panel& panel) {
  const double top = highest(report, panel.column);
  if (top <= 0) return {};
  std::string html = "<section><h2>" + html_escaped(panel.heading) + "</h2><p>" +
                     html_escaped(panel.explanation) + "</p><div class=\"plots\">\n";
  const auto lanes = lanes_of(report);
  for (const auto walk : walks_of(report)) {
    Plot plot{
        std::string(walk_name(walk)) + ", " + panel.column.unit, "rows of a batch", {}, panel.guides, top};
    for (std::size_t i = 0; i < lanes.size(); ++i)
      plot.series.push_back(series_of(report, walk, lanes[i], static_cast<int>(i), panel.column));
    html += plot_svg(plot);
  }
  return html + "</div></section>\n";
}

std::string legend_html(const BenchReport& report) {
  std::string html = "<p class=\"legend\">";
  const auto lanes = lanes_of(report);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    html +=
        "<span class=\"h" + std::to_string(i % kPlotHues) + "\"><i></i>" + lanes_text(lanes[i]) + "</span> ";
  }
  if (report.winner) html += "<span class=\"h0\"><b></b>the winner</span>";
  return html + " Points are medians; bars span the lowest to the highest trial.</p>\n";
}

std::string panels_html(const BenchReport& report) {
  std::string html = panel_html(report, {"Throughput",
                                         "Rows changed per second; more is better.",
                                         column_of(&BenchFigures::rows_per_second),
                                         {}});
  html += panel_html(report, {"Batch p95",
                              "How long a batch holds its row locks; below batch.target is good.",
                              column_of(&BenchFigures::batch_p95_ms),
                              {{"batch.target", report.batch_target_ms}}});
  if (has_traffic(report)) {
    const double alone = report.others_alone_p99_ms.median;
    html += panel_html(report, {"Latency of others, p99",
                                "What the traffic sees while we work.",
                                column_of(&BenchFigures::others_p99_ms),
                                {{"alone", alone}, {"twice that", 2 * alone}}});
  }
  return html + panel_html(report, {"WAL",
                                    "Per row changed; replicas, archive and backups have to carry it.",
                                    column_of(&BenchFigures::wal_bytes_per_row),
                                    {}});
}

std::string cell(const std::string& text, const char* tag = "td") {
  return std::string("<") + tag + ">" + html_escaped(text) + "</" + tag + ">";
}

bool is_shown(const BenchColumn& column, const BenchReport& report) {
  return has_traffic(report) || std::string(column.name).rfind("others", 0) != 0;
}

std::string table_html(const BenchReport& report) {
  std::string html = "<section><h2>All settings</h2><div class=\"wide\"><table><thead><tr>";
  for (const char* head : {"walk", "lanes", "rows"}) html += cell(head, "th");
  for (const auto& c : kBenchColumns) {
    if (is_shown(c, report))
      html +=
          cell(std::string(c.head) + (std::string(c.head) == c.unit ? "" : std::string(", ") + c.unit), "th");
  }
  html += cell("trials", "th") + "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < report.figures.size(); ++i) {
    const auto& f = report.figures[i];
    html += report.winner == i ? "<tr class=\"best\">" : "<tr>";
    html += cell(walk_name(f.setting.walk)) + cell(std::to_string(f.setting.lanes)) +
            cell(base::format_count(f.setting.rows));
    for (const auto& c : kBenchColumns) {
      const Spread& s = f.*c.figure;
      if (is_shown(c, report)) html += cell(s.is_known() ? figure_text(s.median, c.decimals) : "n/a");
    }
    std::string trials = std::to_string(f.trials);
    for (const auto& remark : f.remarks) trials += "; not: " + remark;
    html += cell(trials) + "</tr>\n";
  }
  return html + "</tbody></table></div></section>\n";
}

std::string list_html(const char* heading, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string html = std::string("<section><h2>") + heading + "</h2><ul>\n";
  for (const auto& item : items) html += "<li>" + html_escaped(item) + "</li>\n";
  return html + "</ul></section>\n";
}

std::string verdict_html(const BenchReport& report) {
  std::string html = "<section class=\"verdict\"><h2>";
  html +=
      report.winner ? html_escaped(setting_in_words(report.figures.at(*report.winner).setting)) : "No winner";
  html += "</h2><p>" + html_escaped(report.verdict) + "</p>";
  if (has_traffic(report)) {
    html += "<p>The traffic, " + figure_text(report.others_rate, 0) +
            " transactions/s, sees without us: p50 " + figure_text(report.others_alone_p50_ms.median, 1) +
            " ms, p99 " + figure_text(report.others_alone_p99_ms.median, 1) + " ms.</p>";
  }
  if (!report.advice.empty()) html += "<pre>" + html_escaped(report.advice) + "</pre>";
  return html + "</section>\n";
}

}  // namespace

std::string bench_html(const BenchReport& report) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>pgsluice bench: " +
      html_escaped(report.job) + "</title>\n<style>" + kBenchStyle + "</style>\n</head>\n<body>\n<main>\n";
  html += "<h1>pgsluice bench</h1>\n<p>" + html_escaped(bench_headline(report)) + "; " +
          html_escaped(report.target) + ".</p>\n";
  if (!report.ended_early.empty())
    html += "<p class=\"early\">Ended early: " + html_escaped(report.ended_early) + "</p>\n";
  html += verdict_html(report) + legend_html(report) + panels_html(report) + table_html(report);
  html += list_html("How each figure was measured", report.methods) + list_html("Caveats", report.notes) +
          list_html("Left out", report.left_out);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace pgsluice
