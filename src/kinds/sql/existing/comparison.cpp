#include "kinds/sql/existing/comparison.hpp"

#include <algorithm>
#include <sstream>

namespace pgsluice::engine {
namespace {

bool is_equal(const ObjectPair& pair) {
  return pair.found && *pair.found == pair.wanted;
}

void append(std::string& words, const std::string& more, const char* between) {
  words += (words.empty() ? "" : between) + more;
}

std::string difference_of(const ObjectPair& pair) {
  if (!pair.found) return pair.what + " is not there";
  const bool is_long = pair.wanted.find('\n') != std::string::npos;
  if (is_long) return pair.what + " is another one: " + first_difference(*pair.found, pair.wanted);
  return pair.what + " is there as " + *pair.found + ", and the statement makes " + pair.wanted;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

Recognition judge_objects(const std::string& of, const std::vector<ObjectPair>& pairs) {
  const bool is_nothing =
      std::none_of(pairs.begin(), pairs.end(), [](const ObjectPair& pair) { return pair.found.has_value(); });
  if (is_nothing) return {};
  std::string same;
  std::string other;
  for (const auto& pair : pairs) {
    if (is_equal(pair)) {
      append(same, pair.what, ", ");
    } else {
      append(other, difference_of(pair), "; ");
    }
  }
  if (other.empty()) return {Existing::kAll, same + of};
  if (!same.empty()) other += "; " + same + " is there as the statement makes it";
  return {Existing::kOther, other + (of.empty() ? "" : " (" + of.substr(1) + ")")};
}

std::string first_difference(const std::string& found, const std::string& wanted) {
  const auto there = lines_of(found);
  const auto asked = lines_of(wanted);
  for (std::size_t i = 0; i < std::max(there.size(), asked.size()); ++i) {
    const std::string one = i < there.size() ? there[i] : "";
    const std::string other = i < asked.size() ? asked[i] : "";
    if (one != other) return "it says \"" + one + "\", and the statement \"" + other + "\"";
  }
  return "it is written differently";
}

}  // namespace pgsluice::engine
