#include "base/backoff.hpp"

#include <algorithm>

namespace pgsluice::base {
namespace {

using std::chrono::milliseconds;

// splitmix64: neighbouring inputs give unrelated outputs, which is all that jitter needs.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// Doubles step by step, because base << attempt overflows long before attempts run out.
milliseconds ceiling(const Backoff& backoff, int attempt) {
  milliseconds wait = std::max(backoff.base, milliseconds{1});
  for (int i = 1; i < attempt && wait < backoff.cap; ++i) wait *= 2;
  return std::max(std::min(wait, backoff.cap), milliseconds{1});
}

}  // namespace

std::optional<milliseconds> Backoff::next(int attempt) const {
  if (attempt >= attempts_max) return std::nullopt;
  const auto most = static_cast<std::uint64_t>(ceiling(*this, attempt).count());
  const std::uint64_t draw = mixed(seed ^ mixed(static_cast<std::uint64_t>(attempt)));
  return milliseconds{static_cast<milliseconds::rep>(draw % most) + 1};
}

std::optional<milliseconds> Backoff::next(int attempt, milliseconds left) const {
  const auto wait = next(attempt);
  if (!wait || left <= milliseconds{0}) return std::nullopt;
  return std::min(*wait, left);
}

}  // namespace pgsluice::base
