#include "job/read/name.hpp"

#include <algorithm>
#include <string>

namespace pgsluice::job {
namespace {

// Fits a file name, a metric label and a line of the live view.
constexpr std::size_t kNameBytesMost = 63;

bool is_name_sign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::optional<Refusal> check_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kNameBytesMost;
  const bool starts = fits && name.front() != '-' && name.front() != '_';
  if (starts && std::all_of(name.begin(), name.end(), is_name_sign)) return std::nullopt;
  return Refusal{"is not a name",
                 "up to 63 lower-case letters, digits, - and _, beginning with a letter or a digit"};
}

}  // namespace pgsluice::job
