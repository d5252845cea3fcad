#include "walk/inlined.hpp"

#include <cctype>

#include "pg/identifier.hpp"

namespace pgsluice::walk {

std::string inlined(const Fragment& fragment) {
  const auto& sql = fragment.sql;
  std::string out;
  bool is_quoted = false;  // within a name, which may hold a $ of its own
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '"') is_quoted = !is_quoted;
    if (sql[i] != '$' || is_quoted) {
      out += sql[i];
      continue;
    }
    std::size_t number = 0;
    while (i + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i + 1])) != 0)
      number = number * 10 + static_cast<std::size_t>(sql[++i] - '0');
    out += pg::literal(fragment.params.at(number - 1).value());
  }
  return out;
}

}  // namespace pgsluice::walk
