#include "job/read/diagnostics.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pgsluice {

std::string to_string(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.line > 0) {
    text += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  }
  text += ": error: " + diagnostic.message;
  if (!diagnostic.hint.empty()) text += "\n  hint: " + diagnostic.hint;
  return text;
}

namespace job {

void Diagnostics::add(Position where, std::string message, std::string hint) {
  found_.push_back({file_, where.line, where.column, std::move(message), std::move(hint)});
}

std::vector<Diagnostic> Diagnostics::take() {
  std::vector<Diagnostic> sorted = std::exchange(found_, {});
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return sorted;
}

}  // namespace job
}  // namespace pgsluice
