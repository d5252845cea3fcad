#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgsluice::report {

/// One value of a curve, with the spread of its trials.
struct PlotPoint {
  double x = 0;
  double y = 0;
  double low = 0;
  double high = 0;
  bool is_marked = false;  // the winner
  std::string hint;        // shown on hover
};

/// A curve. `hue` chooses one of kPlotHues colours, the same in every plot of a page.
struct PlotSeries {
  std::string label;
  int hue = 0;
  std::vector<PlotPoint> points;
};

inline constexpr int kPlotHues = 6;

/// A line across the plot, such as a target.
struct PlotGuide {
  std::string label;
  double y = 0;
};

struct Plot {
  std::string title;
  std::string x_label;
  std::vector<PlotSeries> series;
  std::vector<PlotGuide> guides;
  double y_max = 0;  // the top is the next round number; plots side by side share it
};

/// HTML or SVG text content that shows `text` as it is.
std::string html_escaped(const std::string& text);

/// The plot as an SVG element, x logarithmic, y from 0. Colours come from the page's classes `h0` to `h5`,
/// `axis`, `grid`, `guide`, `win`. Pure.
std::string plot_svg(const Plot& plot);

}  // namespace pgsluice::report
