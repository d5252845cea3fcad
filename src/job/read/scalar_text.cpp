#include "job/read/scalar_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace pgsluice::job {
namespace {

/// The shortest text that reads back as the same number; nullopt for infinities and NaN.
std::optional<std::string> number_text(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  const auto* fraction = node.as_floating_point();
  if (fraction == nullptr || !std::isfinite(fraction->get())) return std::nullopt;
  std::array<char, 32> buffer{};  // 17 digits, sign, point and exponent
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), fraction->get()).ptr;
  return std::string(buffer.data(), end);
}

}  // namespace

std::optional<std::string> sql_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  return number_text(node);
}

std::optional<std::string> result_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "t" : "f";
  return number_text(node);
}

}  // namespace pgsluice::job
