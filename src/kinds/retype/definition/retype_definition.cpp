#include "kinds/retype/definition/retype_definition.hpp"

#include "job/sql/table_name.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

constexpr std::string_view kEquals = " = ";

template <class T>
T wanted(Checked<T> read, const std::string& line) {
  if (auto* value = std::get_if<T>(&read)) return std::move(*value);
  throw Error(ExitCode::kInternal, "the ledger's definition of a retype cannot be read: " + line);
}

Mapping mapping_of(const std::string& name) {
  for (const auto mapping : {Mapping::kEmbed, Mapping::kV5, Mapping::kV7, Mapping::kRandom}) {
    if (name == mapping_name(mapping)) return mapping;
  }
  return Mapping::kUsing;
}

void take(RetypeStep& step, const std::string& key, const std::string& value, const std::string& line) {
  // A text of several lines is stored as several lines with the same key.
  const auto more = [&](std::string& text) { text += (text.empty() ? "" : "\n") + value; };
  if (key == "name") step.name = value;
  if (key == "table") step.tables.push_back(wanted(parse_table_name(value), line));
  if (key == "column") step.column = wanted(parse_column_name(value), line);
  if (key == "to") step.to = value;
  if (key == "mapping") step.mapping = mapping_of(value);
  if (key == "namespace") step.v5_namespace = value;
  if (key == "from") step.v7_from = wanted(parse_column_name(value), line);
  if (key == "using") more(step.using_sql);
  if (key == "back") more(step.back_sql);
  if (key == "new_ids") more(step.new_ids);
}

}  // namespace

std::vector<std::string> definition_of(const RetypeStep& step) {
  DefinitionLines lines(step);
  for (const TableName& table : step.tables) lines.add("table", written(table));
  if (!step.column.empty()) lines.add("column", written(step.column));
  lines.add("to", step.to);
  lines.add("mapping", mapping_name(step.mapping));
  if (!step.v5_namespace.empty()) lines.add("namespace", step.v5_namespace);
  if (!step.v7_from.empty()) lines.add("from", written(step.v7_from));
  if (!step.using_sql.empty()) lines.add("using", step.using_sql);
  if (!step.back_sql.empty()) lines.add("back", step.back_sql);
  if (!step.new_ids.empty()) lines.add("new_ids", step.new_ids);
  return lines.take();
}

RetypeStep retype_of_definition(const std::vector<std::string>& lines) {
  RetypeStep step;
  for (const auto& line : lines) {
    const auto at = line.find(kEquals);
    if (at == std::string::npos)
      throw Error(ExitCode::kInternal, "the ledger's definition of a retype cannot be read: " + line);
    take(step, line.substr(0, at), line.substr(at + kEquals.size()), line);
  }
  return step;
}

}  // namespace pgsluice::engine
