#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

namespace pgsluice::job {

/// A TOML value as SQL: a string is already an expression, 5 and true are literals. nullopt: it has no SQL
/// form.
std::optional<std::string> sql_text(const toml::node& node);

/// A TOML value as the text that the server returns for it: true is "t". nullopt: there is none.
std::optional<std::string> result_text(const toml::node& node);

}  // namespace pgsluice::job
