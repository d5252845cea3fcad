#include "telling/findings.hpp"

#include <algorithm>

namespace pgsluice::engine {

void Findings::add(Finding finding) {
  const bool is_known = std::any_of(all_.begin(), all_.end(), [&](const Finding& f) {
    return f.level == finding.level && f.check == finding.check && f.message == finding.message;
  });
  if (!is_known) all_.push_back(std::move(finding));
}

void Findings::refuse(const std::string& check, const std::string& message, const std::string& hint,
                      ExitCode code) {
  add({Finding::Level::kRefuse, check, message, hint, static_cast<int>(code)});
}

void Findings::warn(const std::string& check, const std::string& message, const std::string& hint) {
  add({Finding::Level::kWarn, check, message, hint, 0});
}

void Findings::inform(const std::string& check, const std::string& message, const std::string& hint) {
  add({Finding::Level::kInform, check, message, hint, 0});
}

std::vector<Finding> Findings::worst_first() const {
  auto sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Finding& a, const Finding& b) { return a.level < b.level; });
  return sorted;
}

}  // namespace pgsluice::engine
