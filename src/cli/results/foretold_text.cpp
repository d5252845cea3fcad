#include "cli/results/foretold_text.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/units.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/table.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

std::string count_text(double value) {
  return base::format_count(std::llround(value));
}

std::string seconds_text(double value) {
  return base::format_duration(std::chrono::milliseconds(std::llround(value * 1e3)));
}

struct Quantity {
  const char* name;  // as JSON has it
  const char* words;
  const Span* foretold;
  std::optional<double> came_true;
  std::string (*text)(double);
};

std::vector<Quantity> quantities(const Foretold& f, const CameTrue& c) {
  std::vector<Quantity> out{
      {"rows", "rows to change", &f.rows, c.rows, count_text},
      {"seconds", "duration", &f.seconds, c.seconds, seconds_text},
      {"wal_bytes", "WAL", &f.wal_bytes, c.wal_bytes, base::format_bytes},
      {"heap_bytes", "table grows by", &f.heap_bytes, c.heap_bytes, base::format_bytes},
      {"index_bytes", "indexes grow by", &f.index_bytes, c.index_bytes, base::format_bytes}};
  if (f.image_bytes)
    out.push_back({"image_bytes", "before-images", &*f.image_bytes, c.image_bytes, base::format_bytes});
  return out;
}

std::string error_text(const Quantity& quantity) {
  const auto error = error_percent(*quantity.foretold, quantity.came_true);
  if (!error) return "";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%+.1f %%", *error);
  return text.data();
}

Json json_of(const Foretold& foretold, const CameTrue& came_true, bool is_with_truth) {
  Json json{{"is_sampled", foretold.is_sampled}, {"basis", foretold.basis}};
  for (const auto& quantity : quantities(foretold, came_true)) {
    Json one{{"low", quantity.foretold->low},
             {"likely", quantity.foretold->likely},
             {"high", quantity.foretold->high}};
    if (is_with_truth) {
      const auto error = error_percent(*quantity.foretold, quantity.came_true);
      one["came_true"] = quantity.came_true ? Json(*quantity.came_true) : Json(nullptr);
      one["error_percent"] = error ? Json(*error) : Json(nullptr);
    }
    json[quantity.name] = std::move(one);
  }
  return json;
}

}  // namespace

std::optional<double> error_percent(const Span& foretold, const std::optional<double>& came_true) {
  if (!came_true || *came_true <= 0) return std::nullopt;
  return 100 * (foretold.likely - *came_true) / *came_true;
}

std::vector<std::string> foretold_lines(const Foretold& foretold) {
  std::vector<std::string> lines;
  for (const auto& quantity : quantities(foretold, {})) {
    lines.push_back(std::string(quantity.words) + ": " + quantity.text(quantity.foretold->likely) + " (" +
                    quantity.text(quantity.foretold->low) + " to " + quantity.text(quantity.foretold->high) +
                    ")");
  }
  lines.push_back("from " + foretold.basis);
  return lines;
}

std::vector<std::string> came_true_lines(const std::string& step, const Foretold& foretold,
                                         const CameTrue& came_true) {
  Table table({"FORETOLD OF " + plain_line(step), "LOW", "LIKELY", "HIGH", "CAME TRUE", "ERROR"},
              {1, 2, 3, 4, 5});
  for (const auto& quantity : quantities(foretold, came_true)) {
    table.add({quantity.words, quantity.text(quantity.foretold->low),
               quantity.text(quantity.foretold->likely), quantity.text(quantity.foretold->high),
               quantity.came_true ? quantity.text(*quantity.came_true) : "", error_text(quantity)});
  }
  auto lines = table.lines("  ");
  lines.push_back("  from " + plain_line(foretold.basis));
  return lines;
}

Json foretold_json(const Foretold& foretold) {
  return json_of(foretold, {}, false);
}

Json foretold_json(const Foretold& foretold, const CameTrue& came_true) {
  return json_of(foretold, came_true, true);
}

}  // namespace pgsluice::cli
