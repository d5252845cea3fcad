#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pgsluice::engine {

/// The part of a step that must not change once the job exists: "key = value", one line for each line of the
/// value, so that a difference shows the line that changed.
class DefinitionLines {
 public:
  /// Starts with the step's kind and name.
  template <class Definition>
  explicit DefinitionLines(const Definition& step) {
    add("kind", Definition::kKind);
    add("name", step.name);
  }

  void add(const std::string& key, const std::string& value);
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace pgsluice::engine
