#include "governor/lsn.hpp"

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace pgsluice::governor {
namespace {

// Half an LSN: 1 to 8 hexadecimal digits, no sign, no prefix.
std::optional<std::uint32_t> parse_half(std::string_view text) {
  constexpr std::size_t kDigitsMax = 8;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return (Lsn{*high} << 32) | *low;
}

std::string lsn_text(Lsn lsn) {
  std::array<char, 18> text{};  // twice eight digits, the slash, the terminating zero
  std::snprintf(text.data(), text.size(), "%" PRIX32 "/%" PRIX32, static_cast<std::uint32_t>(lsn >> 32),
                static_cast<std::uint32_t>(lsn));
  return text.data();
}

}  // namespace pgsluice::governor
