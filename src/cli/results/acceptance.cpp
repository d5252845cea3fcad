#include "cli/results/acceptance.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/results/near_word.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::cli {
namespace {

// No job can cause these.
constexpr std::array<std::string_view, 3> kOfOthers{"long transactions", "prepared transactions",
                                                    "synchronous standbys"};

bool contains(const auto& all, const auto& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const auto* check : kWarnings) names.push_back(acceptance_name(check));
  return names;
}

}  // namespace

std::string acceptance_name(const std::string& check) {
  auto name = check;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

void require_warnings(const std::vector<std::string>& names) {
  const auto known = known_names();
  for (const auto& name : names) {
    if (contains(known, name)) continue;
    const auto near = near_word(name, known);
    std::string all;
    for (const auto& one : known) all += (all.empty() ? "" : ", ") + one;
    throw Error(ExitCode::kUsage, "--accept: check has no warning \"" + name + "\"",
                near.empty() ? "its warnings are " + all : "did you mean \"" + near + "\"?");
  }
}

std::vector<std::string> stopping_warnings(const std::vector<Finding>& findings,
                                           const std::vector<std::string>& accepted, Judged judged) {
  std::vector<std::string> names;
  for (const auto& finding : findings) {
    if (finding.level != Finding::Level::kWarn) continue;
    if (judged == Judged::kOnceBegun && !contains(kOfOthers, finding.check)) continue;
    const auto name = acceptance_name(finding.check);
    if (!contains(accepted, name) && !contains(names, name)) names.push_back(name);
  }
  return names;
}

}  // namespace pgsluice::cli
