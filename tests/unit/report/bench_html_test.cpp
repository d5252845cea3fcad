// Goal: a page that is complete in itself, harmless whatever names it shows, with a plot for each walk.
#include <gtest/gtest.h>

#include <regex>

#include "report/bench/bench_plot.hpp"
#include "unit/report/bench_sample.hpp"

namespace pgsluice::report {
namespace {

std::ptrdiff_t count(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), regex), std::sregex_iterator());
}

TEST(BenchHtml, NeedsNoNetwork) {
  const auto page = bench_html(sample_bench());
  EXPECT_EQ(count(page, "https?://|<script|<link|<img|@import|url\\("), 0);
}

TEST(BenchHtml, DrawsEachFigureOnceForEachWalk) {
  const auto page = bench_html(sample_bench());
  EXPECT_EQ(count(page, "<svg "), 3 * 2) << "throughput, p95 and WAL of two walks";
  EXPECT_EQ(count(page, "<polyline "), 3 * 2 * 2) << "a curve for each number of lanes";
  auto report = sample_bench();
  report.others_rate = 100;
  for (auto& f : report.figures) f.others_p99_ms = spread(2, 3, 4);
  EXPECT_EQ(count(bench_html(report), "<svg "), 4 * 2);
}

TEST(BenchHtml, MarksTheWinnerInEveryPlotOfItsWalk) {
  EXPECT_EQ(count(bench_html(sample_bench()), "<circle class=\"win\""), 3);
}

TEST(BenchHtml, EscapesNames) {
  auto report = sample_bench();
  report.job = "<script>alert(1)</script>";
  report.notes = {"trigger \"<img src=x>\" & more"};
  const auto page = bench_html(report);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;img src=x&gt;&quot; &amp; more"), std::string::npos);
}

TEST(BenchHtml, StandsWithoutAnyFigure) {
  auto report = sample_bench();
  report.figures.clear();
  report.winner.reset();
  EXPECT_EQ(count(bench_html(report), "<svg "), 0);
}

TEST(Plot, PutsMoreHigherAndLargerSizesFurtherRight) {
  Plot plot{
      "t", "rows", {{"1 lane", 0, {{100, 10, 9, 11, false, ""}, {1'000, 20, 19, 21, false, ""}}}}, {}, 0};
  const auto svg = plot_svg(plot);
  std::smatch points;
  ASSERT_TRUE(
      std::regex_search(svg, points, std::regex("points=\"([0-9.]+),([0-9.]+) ([0-9.]+),([0-9.]+) \"")));
  EXPECT_LT(std::stod(points[1]), std::stod(points[3]));
  EXPECT_GT(std::stod(points[2]), std::stod(points[4])) << "y grows downwards";
}

TEST(Plot, DrawsASingleSizeInTheMiddle) {
  Plot plot{"t", "rows", {{"1 lane", 0, {{100, 10, 9, 11, false, ""}}}}, {}, 0};
  EXPECT_EQ(plot_svg(plot).find("nan"), std::string::npos);
}

TEST(Plot, LeavesOutAGuideThatIsFarAboveEverything) {
  Plot plot{"t", "rows", {{"1 lane", 0, {{100, 10, 9, 11, false, ""}}}}, {{"target", 500}}, 0};
  EXPECT_EQ(plot_svg(plot).find("target"), std::string::npos);
  plot.guides = {{"target", 11}};
  EXPECT_NE(plot_svg(plot).find("target"), std::string::npos);
}

}  // namespace
}  // namespace pgsluice::report
