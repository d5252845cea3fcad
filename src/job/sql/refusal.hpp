#pragma once

#include <string>
#include <variant>

namespace pgsluice::job {

/// Why a text was not accepted. The message is a predicate that follows the name of what was read ("contains
/// the aggregate sum"); the hint is one sentence saying what to write instead.
struct Refusal {
  std::string message;
  std::string hint;
};

/// A checked value, or why there is none.
template <class Value>
using Checked = std::variant<Value, Refusal>;

}  // namespace pgsluice::job
