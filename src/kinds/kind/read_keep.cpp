#include "kinds/kind/read_keep.hpp"

#include <string>

#include "base/units.hpp"

namespace pgsluice::engine {

std::optional<Keeping> read_keep(job::Section& section) {
  const toml::node* node = section.node("keep");
  if (node == nullptr) return std::nullopt;
  if (const auto flag = node->value_exact<bool>()) return Keeping{*flag, std::nullopt};
  const auto text = node->value_exact<std::string>();
  const auto time = text ? base::parse_duration(*text) : std::nullopt;
  if (!time || *time < std::chrono::hours{1}) {
    section.refuse_type(*node, "keep", "true, false, or a time of at least 1h",
                        "write keep = true, or keep = \"30d\" to free what it keeps 30 days after its end");
    return std::nullopt;
  }
  return Keeping{true, std::chrono::duration_cast<std::chrono::hours>(*time)};
}

}  // namespace pgsluice::engine
