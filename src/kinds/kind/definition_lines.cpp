#include "kinds/kind/definition_lines.hpp"

namespace pgsluice::engine {

void DefinitionLines::add(const std::string& key, const std::string& value) {
  std::size_t from = 0;
  for (std::size_t end = value.find('\n'); end != std::string::npos; end = value.find('\n', from)) {
    lines_.push_back(key + " = " + value.substr(from, end - from));
    from = end + 1;
  }
  if (from < value.size() || from == 0) lines_.push_back(key + " = " + value.substr(from));
}

}  // namespace pgsluice::engine
