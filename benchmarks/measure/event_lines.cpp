#include "measure/event_lines.hpp"

#include <ctime>
#include <sstream>
#include <stdexcept>

namespace pgsluice::bench {

std::vector<base::Json> events_of(const std::string& output, const std::string& type) {
  std::vector<base::Json> result;
  std::istringstream lines(output);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.find("\"type\":\"" + type + "\"") == std::string::npos) continue;
    auto event = base::Json::parse(line, nullptr, false);
    if (!event.is_discarded()) result.push_back(std::move(event));
  }
  return result;
}

std::chrono::system_clock::time_point read_time(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) throw std::runtime_error("not a time: " + text);
  const double fraction = *rest == '.' ? std::stod(rest) : 0;
  return std::chrono::system_clock::from_time_t(timegm(&parts)) +
         std::chrono::milliseconds{static_cast<std::int64_t>(fraction * 1000 + 0.5)};
}

}  // namespace pgsluice::bench
