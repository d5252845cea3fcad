#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace pgsluice::base {
namespace {

/// One unit and how many of the smallest unit it contains; ordered from smallest to largest.
struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};

constexpr std::array kDurationUnits = {Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"min", 60'000},
                                       Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kByteUnits = {Unit{"B", 1}, Unit{"kB", 1LL << 10}, Unit{"MB", 1LL << 20},
                                   Unit{"GB", 1LL << 30}, Unit{"TB", 1LL << 40}};

/// Digits, then one of the units, nothing else.
template <std::size_t kCount>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, kCount>& units) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.suffix != suffix) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

/// The largest unit that divides the amount.
template <std::size_t kCount>
std::string shortest_text(std::int64_t amount, const std::array<Unit, kCount>& units) {
  const Unit* chosen = &units.front();
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0) chosen = &unit;
  }
  return std::to_string(amount / chosen->factor) + std::string(chosen->suffix);
}

template <class... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 64> buffer{};  // the longest text is a 64-bit number plus two digits
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

bool two_digits(std::string_view text, int& value) {
  if (text.size() != 2) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 2, value);
  return error == std::errc{} && end == text.data() + 2 && value >= 0;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto amount = parse_with_unit(text, kDurationUnits);
  if (!amount) return std::nullopt;
  return std::chrono::milliseconds(*amount);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, kByteUnits);
}

std::optional<int> parse_time_of_day(std::string_view text) {
  int hour = 0;
  int minute = 0;
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!two_digits(text.substr(0, 2), hour) || !two_digits(text.substr(3), minute)) return std::nullopt;
  if (hour > 23 || minute > 59) return std::nullopt;
  return hour * 60 + minute;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const long long ms = duration.count();
  if (ms < 0) return "-" + format_duration(-duration);
  if (ms < 1'000) return print("%lld ms", ms);
  if (ms < 59'950) return print("%.1f s", static_cast<double>(ms) / 1'000);  // 59.95 s would print as 60.0 s
  const long long seconds = (ms + 500) / 1'000;
  if (seconds < 3'600) return print("%lldm%02llds", seconds / 60, seconds % 60);
  const long long minutes = (seconds + 30) / 60;
  return print("%lldh%02lldm", minutes / 60, minutes % 60);
}

std::string format_bytes(double bytes) {
  if (bytes < 0) return "-" + format_bytes(-bytes);
  std::size_t unit = 0;
  const auto factor = [&] { return static_cast<double>(kByteUnits[unit].factor); };
  // 1023.95 of a unit would print as 1024.0 of it.
  while (unit + 1 < kByteUnits.size() && bytes / factor() >= 1023.95) ++unit;
  if (unit == 0) return print("%.0f B", bytes);
  return print("%.1f ", bytes / factor()) + std::string(kByteUnits[unit].suffix);
}

std::string format_count(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t first_digit = count < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first_digit + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string format_behind(std::int64_t entries, double age_s) {
  const auto what = entries == 0
                        ? std::string("nothing behind")
                        : format_count(entries) + (entries == 1 ? " entry behind" : " entries behind");
  if (age_s < 0) return what;
  return what + ", as of " +
         format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(age_s * 1'000))) + " ago";
}

std::string duration_text(std::chrono::milliseconds duration) {
  return shortest_text(duration.count(), kDurationUnits);
}

std::string bytes_text(std::int64_t bytes) {
  return shortest_text(bytes, kByteUnits);
}

}  // namespace pgsluice::base
