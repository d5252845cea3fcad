#include "report/bench/bench_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "base/units.hpp"

namespace pgsluice::report {
namespace {

// In units of the SVG's viewBox; the page scales it.
constexpr double kWidth = 380;
constexpr double kHeight = 240;
constexpr double kLeft = 52;  // for the numbers of the y axis
constexpr double kRight = 14;
constexpr double kTop = 26;     // for the title
constexpr double kBottom = 36;  // for the numbers of the x axis and its label
constexpr double kGridLines = 4;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

/// 1, 2, 2.5 or 5 times a power of ten, at least `value`.
double round_step(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= value) return factor * power;
  }
  return 10 * power;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  if (value >= 1e6) {
    std::snprintf(text.data(), text.size(), "%.3gM", value / 1e6);
  } else if (value >= 1e4) {
    std::snprintf(text.data(), text.size(), "%.3gk", value / 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.4g", value);
  }
  return text.data();
}

/// From values to places.
struct Scale {
  double x_low = 1;  // logarithms
  double x_high = 2;
  double y_step = 1;

  double x(double value) const {
    if (x_high <= x_low) return (kLeft + kWidth - kRight) / 2;
    const double inset = 12;  // keeps points off the axis
    return kLeft + inset +
           (std::log(value) - x_low) / (x_high - x_low) * (kWidth - kRight - kLeft - 2 * inset);
  }
  double y(double value) const {
    return kHeight - kBottom - value / (kGridLines * y_step) * (kHeight - kTop - kBottom);
  }
};

std::set<double> places_of(const Plot& plot) {
  std::set<double> places;
  for (const auto& series : plot.series) {
    for (const auto& point : series.points) places.insert(point.x);
  }
  return places;
}

Scale scale_of(const Plot& plot) {
  Scale scale;
  const auto places = places_of(plot);
  if (!places.empty()) {
    scale.x_low = std::log(*places.begin());
    scale.x_high = std::log(*places.rbegin());
  }
  double top = plot.y_max;
  for (const auto& series : plot.series) {
    for (const auto& point : series.points) top = std::max(top, point.high);
  }
  scale.y_step = round_step(top / kGridLines);
  return scale;
}

std::string line(double x1, double y1, double x2, double y2, const std::string& css) {
  return "<line class=\"" + css + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
         number(x2) + "\" y2=\"" + number(y2) + "\"/>";
}

std::string text(double x, double y, const std::string& anchor, const std::string& css,
                 const std::string& content) {
  return "<text class=\"" + css + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" +
         anchor + "\">" + html_escaped(content) + "</text>";
}

std::string axes(const Plot& plot, const Scale& scale) {
  std::string svg = text(kLeft, 15, "start", "title", plot.title);
  for (int i = 0; i <= static_cast<int>(kGridLines); ++i) {
    const double value = i * scale.y_step;
    svg += line(kLeft, scale.y(value), kWidth - kRight, scale.y(value), i == 0 ? "axis" : "grid");
    svg += text(kLeft - 6, scale.y(value) + 4, "end", "tick", short_number(value));
  }
  for (const double place : places_of(plot))
    svg += text(scale.x(place), kHeight - kBottom + 15, "middle", "tick", short_number(place));
  return svg + text((kLeft + kWidth - kRight) / 2, kHeight - 5, "middle", "tick", plot.x_label);
}

/// Labels alternate between left and right, since two guides may lie close together.
std::string guides(const Plot& plot, const Scale& scale) {
  std::string svg;
  bool is_left = true;
  for (const auto& guide : plot.guides) {
    if (guide.y > kGridLines * scale.y_step) continue;  // above the plot: every point is below it
    const double y = scale.y(guide.y);
    svg += line(kLeft, y, kWidth - kRight, y, "guide");
    svg += text(is_left ? kLeft + 6 : kWidth - kRight, y - 4, is_left ? "start" : "end", "tick", guide.label);
    is_left = !is_left;
  }
  return svg;
}

std::string point_svg(const PlotPoint& point, const Scale& scale) {
  const double x = scale.x(point.x);
  std::string svg = line(x, scale.y(point.low), x, scale.y(point.high), "spread");
  if (point.is_marked)
    svg += "<circle class=\"win\" cx=\"" + number(x) + "\" cy=\"" + number(scale.y(point.y)) + "\" r=\"8\"/>";
  return svg + "<circle class=\"dot\" cx=\"" + number(x) + "\" cy=\"" + number(scale.y(point.y)) +
         "\" r=\"3.5\"><title>" + html_escaped(point.hint) + "</title></circle>";
}

std::string series_svg(const PlotSeries& series, const Scale& scale) {
  std::string svg = "<g class=\"h" + std::to_string(series.hue % kPlotHues) + "\"><polyline points=\"";
  for (const auto& point : series.points)
    svg += number(scale.x(point.x)) + "," + number(scale.y(point.y)) + " ";
  svg += "\"/>";
  for (const auto& point : series.points) svg += point_svg(point, scale);
  return svg + "</g>";
}

}  // namespace

std::string html_escaped(const std::string& plain) {
  std::string out;
  for (const char c : plain) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string plot_svg(const Plot& plot) {
  const auto scale = scale_of(plot);
  std::string svg = "<svg role=\"img\" viewBox=\"0 0 " + number(kWidth) + " " + number(kHeight) +
                    "\" aria-label=\"" + html_escaped(plot.title) + "\">";
  svg += axes(plot, scale) + guides(plot, scale);
  for (const auto& series : plot.series) svg += series_svg(series, scale);
  return svg + "</svg>\n";
}

}  // namespace pgsluice::report
