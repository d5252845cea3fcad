#include "job/read/sql_names.hpp"

#include <algorithm>
#include <utility>

#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

std::vector<Located<std::string>> texts_of(Section& section, const char* key) {
  return section.texts(key, true).value_or(std::vector<Located<std::string>>{});
}

}  // namespace

std::optional<TableName> read_table(Section& section, const char* key) {
  const auto text = section.text(key);
  if (!text) return std::nullopt;
  auto table = parse_table_name(*text);
  if (auto* name = std::get_if<TableName>(&table)) return std::move(*name);
  section.refuse(key, std::get<Refusal>(table));
  return std::nullopt;
}

std::vector<TableName> read_tables(Section& section, const char* key) {
  std::vector<TableName> tables;
  for (const auto& text : texts_of(section, key)) {
    auto table = parse_table_name(text.value);
    if (auto* name = std::get_if<TableName>(&table))
      tables.push_back(std::move(*name));
    else
      section.refuse_at(text.where, key, std::get<Refusal>(table));
  }
  return tables;
}

std::vector<std::string> read_columns(Section& section, const char* key, const char* if_empty) {
  std::vector<std::string> columns;
  const auto texts = texts_of(section, key);
  if (texts.empty() && section.has(key)) section.refuse(key, {"names no column", if_empty});
  for (const auto& text : texts) {
    auto column = parse_column_name(text.value);
    if (const auto* refusal = std::get_if<Refusal>(&column)) {
      section.refuse_at(text.where, key, *refusal);
      continue;
    }
    auto& name = std::get<std::string>(column);
    if (std::find(columns.begin(), columns.end(), name) != columns.end())
      section.refuse_at(text.where, key,
                        {"names column " + written(name) + " twice", "name each column once"});
    columns.push_back(std::move(name));
  }
  return columns;
}

}  // namespace pgsluice::job
