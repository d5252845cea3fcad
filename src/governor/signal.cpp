#include "governor/signal.hpp"

#include <array>
#include <cstdio>
#include <limits>

#include "base/units.hpp"

namespace pgsluice::governor {
namespace {

// "2.4", "2", "0.25": one decimal from 1 up, two below, no trailing zeros.
std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), seconds < 1 ? "%.2f" : "%.1f", seconds);
  std::string result = text.data();
  while (result.back() == '0') result.pop_back();
  if (result.back() == '.') result.pop_back();
  return result;
}

// Where the value stands against its limit.
const char* relation(double load) {
  if (load > 1) return " over ";
  if (load >= 0.5) return " close to ";
  return " under ";
}

}  // namespace

bool is_fresh(const Sample& sample, TimePoint now) {
  return now - sample.taken_at <= kSampleAgeMax;
}

double load_of(const Sample& sample, TimePoint now) {
  if (!sample.known || !is_fresh(sample, now) || sample.limit <= 0)
    return std::numeric_limits<double>::infinity();
  return sample.value / sample.limit;
}

std::string quantity_text(double value, const std::string& unit) {
  return unit == "bytes" ? base::format_bytes(value) : seconds_text(value) + " " + unit;
}

std::string in_words(const Sample& sample, TimePoint now) {
  if (!is_fresh(sample, now)) {
    return "no fresh sample of " + sample.name + " for " +
           quantity_text(seconds_between(sample.taken_at, now), "s");
  }
  if (!sample.known) return sample.reason.empty() ? sample.name + " is unknown" : sample.reason;
  if (!sample.sentence.empty()) return sample.sentence;
  const std::string where = sample.reason.empty() ? "" : " " + sample.reason;
  return sample.name + " " + quantity_text(sample.value, sample.unit) + relation(load_of(sample, now)) +
         quantity_text(sample.limit, sample.unit) + where;
}

SignalView view_of(const Sample& sample, TimePoint now) {
  const double load = load_of(sample, now);
  const bool known = sample.known && is_fresh(sample, now);
  return {sample.name, sample.value, sample.limit, sample.unit, known, load > 1 ? in_words(sample, now) : ""};
}

}  // namespace pgsluice::governor
