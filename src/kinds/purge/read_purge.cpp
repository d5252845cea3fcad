#include "kinds/purge/read_purge.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "job/condition/time_calls.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

std::optional<TableName> read_table(Section& section, const char* key) {
  const auto text = section.text(key);
  if (!text) return std::nullopt;
  auto table = parse_table_name(*text);
  if (const auto* refusal = std::get_if<Refusal>(&table)) {
    section.refuse(key, *refusal);
    return std::nullopt;
  }
  return std::get<TableName>(std::move(table));
}

std::vector<TableName> read_tables(Section& section, const char* key) {
  std::vector<TableName> tables;
  const auto texts = section.texts(key, true);
  if (!texts) return tables;
  for (const auto& text : *texts) {
    auto table = parse_table_name(text.value);
    if (const auto* refusal = std::get_if<Refusal>(&table)) {
      section.refuse_at(text.where, key, *refusal);
    } else {
      tables.push_back(std::get<TableName>(std::move(table)));
    }
  }
  return tables;
}

void read_key(Section& section, PurgeStep& step) {
  const auto columns = section.texts("key", true);
  if (!columns) return;
  if (columns->empty()) section.refuse("key", {"names no column", "leave key out to use the primary key"});
  for (const auto& column : *columns) {
    auto name = parse_column_name(column.value);
    if (const auto* refusal = std::get_if<Refusal>(&name)) {
      section.refuse_at(column.where, "key", *refusal);
    } else {
      step.key.push_back(std::get<std::string>(std::move(name)));
    }
  }
}

void read_where(Section& section, PurgeStep& step) {
  constexpr const char* kHint = "write which rows go: where = \"created_at < now() - interval '90 days'\"";
  section.require("where", kHint);
  const auto text = section.text("where");
  if (!text) return;
  auto condition = check_expression(*text);
  if (auto* refusal = std::get_if<Refusal>(&condition)) {
    if (refusal->message == "is empty") refusal->hint = kHint;
    return section.refuse("where", *refusal);
  }
  step.where = std::get<Expression>(std::move(condition)).text;
  const auto fixed = at_fixed_time(step.where, "2000-01-01 00:00:00.000000+00");  // any: whether it can be
  if (const auto* refusal = std::get_if<Refusal>(&fixed)) section.refuse("where", *refusal);
}

void read_walk(Section& section, PurgeStep& step) {
  const auto text = section.text("walk");
  if (!text) return;
  std::vector<std::string> names;
  for (const Walk walk : {Walk::kAuto, Walk::kKeyset, Walk::kBlocks}) {
    names.emplace_back(walk_name(walk));
    if (*text != names.back()) continue;
    step.walk = walk;
    return;
  }
  section.refuse("walk", {"\"" + *text + "\" is not known here", suggestion(*text, names, "walks")});
}

}  // namespace

PurgeStep read_purge(job::Section& section, std::string name) {
  PurgeStep step;
  step.name = std::move(name);
  section.require("table", "write table = \"public.audit_log\"");
  if (auto table = read_table(section, "table")) step.table = std::move(*table);
  read_key(section, step);
  read_where(section, step);
  read_walk(section, step);
  step.archive_to = read_table(section, "archive_to");
  step.with = read_tables(section, "with");
  step.allowed_effects = read_tables(section, "allow_effects_on");
  step.vacuum = section.flag("vacuum").value_or(false);
  step.repeat = section.flag("repeat").value_or(false);
  return step;
}

}  // namespace pgsluice::engine
