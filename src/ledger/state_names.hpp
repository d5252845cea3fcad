#pragma once

#include <string>

#include "pgsluice/error.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice::ledger {

/// The value that the ledger's text stands for. Throws Error(kInternal) for a text that no version of the
/// ledger has written.
template <class Names>
auto read_state(const Names& names, const std::string& text) {
  if (const auto found = named_in(names, text)) return *found;
  throw Error(ExitCode::kInternal, "the ledger has an unknown state: \"" + text + "\"");
}

}  // namespace pgsluice::ledger
