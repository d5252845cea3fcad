#include "job/sql/type_name.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {
namespace {

constexpr std::array<std::string_view, 6> kSerials = {"smallserial", "serial2", "serial",
                                                      "serial4",     "serial8", "bigserial"};

/// The type in `sql` if that is nothing but a cast of NULL; null otherwise.
Tree type_of_cast(const std::string& sql) {
  const auto parsed = parse_statements(sql);
  const auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed);
  const Tree* value = statements == nullptr ? nullptr : only_value(*statements);
  if (value == nullptr) return {};
  const Tree& cast = child(*value, "TypeCast");
  return is_set(child(child(cast, "arg"), "A_Const"), "isnull") ? child(cast, "typeName") : Tree{};
}

std::vector<std::string> name_parts(const Tree& type) {
  std::vector<std::string> parts;
  for (const Tree& part : child(type, "names")) parts.push_back(string_node(part));
  return parts;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

Checked<std::string> parse_type_name(std::string_view text) {
  const std::string type(trim(text));
  // The parentheses in the second reject a comment or a semicolon at the end; only the first rejects `int),
  // (NULL::int`.
  const Tree bare = type_of_cast("SELECT NULL::" + type);
  const bool is_whole = !bare.is_null() && !type_of_cast("SELECT (NULL::" + type + ")").is_null();
  if (!is_whole || is_set(bare, "setof")) {
    return Refusal{"is not one type",
                   "write it as in SQL: uuid, bigint, numeric(12,2), text[], app.\"Mood\""};
  }
  const std::vector<std::string> parts = name_parts(bare);
  if (parts.size() == 1 && std::find(kSerials.begin(), kSerials.end(), parts.front()) != kSerials.end()) {
    return Refusal{"is " + parts.front() + ", which is not a type",
                   "write smallint, integer or bigint: a sequence is carried over by itself"};
  }
  const bool is_uuid =
      parts == std::vector<std::string>{"uuid"} || parts == std::vector<std::string>{"pg_catalog", "uuid"};
  return is_uuid && child(bare, "arrayBounds").is_null() ? std::string("uuid") : type;
}

}  // namespace pgsluice::job
