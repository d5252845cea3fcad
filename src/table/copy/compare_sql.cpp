#include "table/copy/compare_sql.hpp"

#include <algorithm>

#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// A value's text, as the target writes it.
std::string text_of(const CopiedColumn& column, CopySide side) {
  if (side == CopySide::kTarget) return quoted(column.name) + "::text";
  const auto text = "(" + column.expression + "\n)::text";
  return column.becomes.empty() ? text : "(" + text + ")::" + column.becomes + "::text";
}

const pg::Table& table_of(const Copying& copying, CopySide side) {
  return side == CopySide::kSource ? copying.from : copying.to;
}

std::string where(const Copying& copying, CopySide side, const std::string& predicate) {
  if (side == CopySide::kTarget || copying.where.empty()) return "WHERE " + predicate;
  return "WHERE " + predicate + "\n  AND CASE WHEN (" + copying.where + "\n) THEN true END";
}

std::string key_texts(const Copying& copying) {
  std::string texts;
  for (const auto& column : copying.key) texts += quoted(column.name) + "::text, ";
  return texts;
}

}  // namespace

std::string row_hash_sql(const Copying& copying, CopySide side, bool is_converted) {
  std::string hash = "0";
  for (const auto& column : copying.columns) {
    auto text = text_of(column, side);
    if (is_converted) text = "pg_catalog.encode(pg_catalog.convert_to(" + text + ", 'UTF8'), 'escape')";
    // Without COLLATE a nondeterministic collation gives 'A' and 'a' one hash.
    hash = "pg_catalog.hashtextextended(coalesce(" + text + ", E'\\x01') COLLATE pg_catalog.\"C\", " + hash +
           ")";
  }
  return hash;
}

std::string sums_sql(const Copying& copying, CopySide side, const std::string& hash,
                     const std::string& predicate) {
  return "SELECT count(*), coalesce(sum(s.hash), 0)\nFROM (SELECT " + hash + " AS hash FROM " +
         table_of(copying, side).sql() + "\n" + where(copying, side, predicate) + ") AS s";
}

std::string keyed_hashes_sql(const Copying& copying, CopySide side, const std::string& hash,
                             const std::string& predicate) {
  return "SELECT " + key_texts(copying) + hash + " FROM " + table_of(copying, side).sql() + "\n" +
         where(copying, side, predicate);
}

std::string count_sql(const Copying& copying) {
  return "SELECT count(*) FROM " + copying.to.sql();
}

std::string hashes_of_keys_sql(const Copying& copying, CopySide side, const std::string& hash) {
  std::vector<std::string> arrays;
  for (std::size_t i = 0; i < copying.key.size(); ++i) arrays.push_back("$" + std::to_string(i + 1));
  return "SELECT " + key_texts(copying) + hash + "\n" + from_keys_sql(copying, side, arrays);
}

std::string from_keys_sql(const Copying& copying, CopySide side, const std::vector<std::string>& keys) {
  const auto& table = table_of(copying, side);
  std::string arrays;
  std::string names;
  std::string equal;
  for (std::size_t i = 0; i < copying.key.size(); ++i) {
    const auto number = std::to_string(i + 1);
    const auto* column = table.find(copying.key[i].name);
    const std::string comma = i == 0 ? "" : ", ";
    arrays += comma + "pg_catalog.unnest(" + keys.at(i) + "::text[])";
    names += comma + "\"pgsluice " + number + "\"";
    equal += (i == 0 ? "" : " AND ") + quoted(column->name) + " = wanted.\"pgsluice " + number +
             "\"::" + column->type;
  }
  return "FROM ROWS FROM (" + arrays + ") AS wanted(" + names + ")\nJOIN " + table.sql() + " ON " + equal +
         "\n" + where(copying, side, "true");
}

std::string row_size_sql(const Copying& copying) {
  std::string texts;
  for (const auto& column : copying.columns)
    texts += (texts.empty() ? "" : ", ") + text_of(column, CopySide::kSource);
  return "pg_catalog.octet_length(ROW(" + texts + ")::text)";
}

bool is_key_copied(const Copying& copying) {
  return std::all_of(copying.key.begin(), copying.key.end(), [&](const pg::Column& key) {
    return std::any_of(copying.columns.begin(), copying.columns.end(),
                       [&](const CopiedColumn& c) { return c.is_plain && c.expression == quoted(key.name); });
  });
}

}  // namespace pgsluice::engine
