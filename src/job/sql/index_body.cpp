#include "job/sql/index_body.hpp"

#include <algorithm>

#include "job/sql/parse_tree.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

bool take_dot(std::string_view& text) {
  const auto first = text.find_first_not_of(" \t\r\n\f\v");
  if (first == std::string_view::npos || text[first] != '.') return false;
  text.remove_prefix(first + 1);
  return true;
}

}  // namespace

std::string index_body(std::string_view sql) {
  const auto parsed = parse_statements(sql);
  const auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed);
  if (statements == nullptr || statements->size() != 1 || statements->front().node != "IndexStmt") return {};
  const auto& relation = child(statements->front().tree, "relation");
  const auto& location = child(relation, "location");
  if (!location.is_number_unsigned() && !location.is_number_integer()) return {};
  auto rest = sql.substr(std::min(sql.size(), location.get<std::size_t>()));
  do {
    const auto name = take_identifier(rest);
    if (std::holds_alternative<Refusal>(name)) return {};
  } while (take_dot(rest));
  const auto end = rest.find_last_not_of("; \t\r\n\f\v");
  return end == std::string_view::npos ? std::string() : std::string(rest.substr(0, end + 1));
}

}  // namespace pgsluice::job
