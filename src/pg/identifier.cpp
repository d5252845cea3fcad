#include "pg/identifier.hpp"

namespace pgsluice::pg {
namespace {

std::string enclose(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

}  // namespace

Identifier::Identifier(std::string_view name) : sql_(enclose(name, '"')) {}

Identifier::Identifier(std::string_view schema, std::string_view name)
    : sql_(schema.empty() ? enclose(name, '"') : enclose(schema, '"') + "." + enclose(name, '"')) {}

std::string column_list(const std::vector<std::string>& names, std::string_view prefix) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += ", ";
    out += prefix;
    out += Identifier(name).sql();
  }
  return out;
}

std::string literal(std::string_view text) {
  // E'' with doubled backslashes means the same whatever standard_conforming_strings is.
  std::string out = text.find('\\') == std::string_view::npos ? "" : "E";
  std::string body = enclose(text, '\'');
  if (out.empty()) return body;
  for (const char c : body) {
    if (c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace pgsluice::pg
