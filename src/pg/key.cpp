#include "pg/key.hpp"

namespace pgsluice::pg {

std::string to_array(const Key& key) {
  std::string out = "{";
  for (const auto& part : key) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : part) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

Key from_array(const std::string& text) {
  Key key;
  if (text == "{}") return key;
  std::string part;
  bool is_quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      part += text[++i];
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (c == ',' || c == '}')) {
      key.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  return key;
}

Value to_value(const std::optional<Key>& key) {
  return key ? Value{to_array(*key)} : Value{};
}

std::optional<Key> from_value(const Value& value) {
  if (!value) return std::nullopt;
  return from_array(*value);
}

std::string display(const Key& key) {
  if (key.size() == 1) return key.front();
  std::string out;
  for (const auto& part : key) out += (out.empty() ? "(" : ", ") + part;
  return out + ")";
}

}  // namespace pgsluice::pg
