#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::pg {

/// A name as SQL needs it: always quoted, so that case, spaces and keywords do not matter. The only way to
/// put a name into a statement. Immutable value.
class Identifier {
 public:
  explicit Identifier(std::string_view name);
  /// schema."name"; an empty schema leaves it to the search_path.
  Identifier(std::string_view schema, std::string_view name);

  const std::string& sql() const noexcept { return sql_; }

 private:
  std::string sql_;
};

/// "a", "b", "c" → `"a", "b", "c"`, each with `prefix` before it.
std::string column_list(const std::vector<std::string>& names, std::string_view prefix = {});

/// A string constant, for the few statements that take no parameters (SET LOCAL, DDL, COMMENT).
std::string literal(std::string_view text);

}  // namespace pgsluice::pg
