#include "end_to_end/retype_verb.hpp"

#include <optional>
#include <regex>
#include <stdexcept>

#include "measure/event_lines.hpp"
#include "support/environment.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::chrono::hours kPatience{2};

}  // namespace

double Said::locked_ms() const {
  static const std::regex locked_for("locked for ([0-9.]+) (ms|s)$");
  std::optional<double> found;
  for (const auto& event : events_of(output, "state")) {
    std::smatch match;
    const std::string reason = event.at("reason");
    if (std::regex_search(reason, match, locked_for))
      found = std::stod(match[1]) * (match[2] == "s" ? 1000 : 1);
  }
  if (!found) throw std::runtime_error("no event says how long the tables were locked:\n" + output);
  return *found;
}

std::vector<std::string> Said::retries() const {
  std::vector<std::string> result;
  for (const auto& event : events_of(output, "batch_failed")) result.push_back(event.at("message"));
  return result;
}

Said say(const std::vector<std::string>& words, const std::string& dsn, int code) {
  auto arguments = words;
  arguments.insert(arguments.end(), {"--dsn", dsn, "--json"});
  const auto from = std::chrono::system_clock::now();
  const auto finished = test::run(test::pgsluice(arguments), kPatience);
  if (finished.code() != code)
    throw std::runtime_error("pgsluice " + words.front() + " failed:\n" + finished.out + finished.err);
  return {from, std::chrono::system_clock::now(), finished.out};
}

}  // namespace pgsluice::bench
