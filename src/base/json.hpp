#pragma once

#include <nlohmann/json.hpp>

namespace pgsluice::base {

/// The one home of the JSON library. Keeps the order in which fields were added, so that lines read well.
using Json = nlohmann::ordered_json;

}  // namespace pgsluice::base
