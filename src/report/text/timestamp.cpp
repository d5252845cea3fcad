#include "report/text/timestamp.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace pgsluice::report {

namespace {

std::string text(const std::tm& time, const char* format) {
  std::array<char, 64> buffer{};  // the longest format takes 20 characters
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &time)};
}

std::string utc(std::chrono::system_clock::time_point at, const char* format) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at));
  std::tm time{};
  gmtime_r(&seconds, &time);
  return text(time, format);
}

}  // namespace

std::string timestamp_milliseconds(std::chrono::system_clock::time_point at) {
  const auto rest = at - std::chrono::floor<std::chrono::seconds>(at);
  const auto milliseconds = static_cast<int>(std::chrono::floor<std::chrono::milliseconds>(rest).count());
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", milliseconds);
  return utc(at, "%Y-%m-%dT%H:%M:%S") + fraction.data();
}

std::string timestamp_seconds(std::chrono::system_clock::time_point at) {
  return utc(at, "%Y-%m-%dT%H:%M:%SZ");
}

std::string time_of_day(std::chrono::system_clock::time_point at) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at));
  std::tm time{};
  localtime_r(&seconds, &time);
  return text(time, "%H:%M:%S");
}

}  // namespace pgsluice::report
