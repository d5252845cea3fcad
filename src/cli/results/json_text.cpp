#include "cli/results/json_text.hpp"

namespace pgsluice::cli {

using base::Json;

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_document(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pgsluice::cli
