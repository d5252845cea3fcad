#include "kinds/retype/definition/read_retype.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"
#include "job/sql/type_name.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

// An application's transaction shorter than this is ordinary traffic, not a blocker.
constexpr Milliseconds kKillAfterLeast{1'000};
// If a cut-over has waited longer than this, an operator should decide, not a rule.
constexpr Milliseconds kKillAfterMost{24 * 3'600'000};

void add_table(Section& section, RetypeStep& step, const char* key, const Located<std::string>& text) {
  auto table = parse_table_name(text.value);
  if (const auto* refusal = std::get_if<Refusal>(&table)) return section.refuse_at(text.where, key, *refusal);
  auto& name = std::get<TableName>(table);
  if (std::find(step.tables.begin(), step.tables.end(), name) != step.tables.end()) {
    return section.refuse_at(text.where, key,
                             {"names table " + written(name) + " twice", "name each table once"});
  }
  step.tables.push_back(std::move(name));
}

void read_tables(Section& section, RetypeStep& step) {
  constexpr const char* kHint =
      "write tables = [\"users\", …] for their primary keys, or table = \"users\" with column = \"…\"";
  if (!section.has("table")) section.require("tables", kHint);
  const auto many = section.texts("tables", false);
  const auto one = section.text("table");
  if (section.has("tables") && section.has("table"))
    return section.refuse("table", {"cannot be combined with tables", kHint});
  if (one) add_table(section, step, "table", {*one, section.where("table")});
  if (!many) return;
  if (many->empty()) section.refuse("tables", {"names no table", kHint});
  for (const auto& text : *many) add_table(section, step, "tables", text);
}

std::string read_column(Section& section, const char* key) {
  const auto text = section.text(key);
  if (!text) return {};
  auto column = parse_column_name(*text);
  if (auto* name = std::get_if<std::string>(&column)) return std::move(*name);
  section.refuse(key, std::get<Refusal>(column));
  return {};
}

void read_changed_column(Section& section, RetypeStep& step) {
  step.column = read_column(section, "column");
  if (!section.has("column") || section.has("table") || !section.has("tables")) return;
  section.refuse("column",
                 {"cannot be combined with tables", "write table = \"…\": a column belongs to one table"});
}

void read_type(Section& section, RetypeStep& step) {
  section.require("to", "write the type that the column gets: to = \"uuid\"");
  const auto text = section.text("to");
  if (!text) return;
  auto type = parse_type_name(*text);
  if (const auto* refusal = std::get_if<Refusal>(&type)) return section.refuse("to", *refusal);
  step.to = std::get<std::string>(std::move(type));
}

std::optional<Mapping> mapping_named(const std::string& word) {
  for (const Mapping mapping : {Mapping::kEmbed, Mapping::kV5, Mapping::kV7, Mapping::kRandom}) {
    if (word == mapping_name(mapping)) return mapping;
  }
  return std::nullopt;
}

/// nullopt: the value is not valid, which has been reported.
std::optional<Mapping> read_mapping(Section& section) {
  if (!section.has("mapping")) return Mapping::kUsing;
  const auto word = section.text("mapping");
  if (!word) return std::nullopt;
  const auto mapping = mapping_named(*word);
  if (mapping) return mapping;
  section.refuse("mapping",
                 {"\"" + *word + "\" is not known",
                  *word == "using" ? "leave mapping out and write using = \"SQL expression\""
                                   : suggestion(*word, {"embed", "v5", "v7", "random"}, "mappings")});
  return std::nullopt;
}

void check_mapping(Section& section, const RetypeStep& step) {
  if (section.has("mapping") && section.has("using")) {
    section.refuse("using", {"cannot be combined with mapping", "write one or the other"});
  }
  const bool is_uuid = step.to == "uuid";
  if (step.mapping != Mapping::kUsing && !is_uuid && !step.to.empty()) {
    section.refuse("mapping",
                   {"\"" + std::string(mapping_name(step.mapping)) + "\" makes uuids, but to is " + step.to,
                    "write to = \"uuid\", or using = \"SQL expression\" instead of mapping"});
  }
  if (!is_uuid || section.has("mapping") || section.has("using")) return;
  section.refuse("to",
                 {"= \"uuid\" does not say how a uuid is made from the old value",
                  "write mapping = \"embed\", \"v5\" with namespace, \"v7\" with from, or \"random\"; or "
                  "using = \"SQL expression\""});
}

/// Reports a key that only another mapping uses, or that this one lacks; true if its value is wanted.
bool belongs(Section& section, const char* key, Mapping mapping, std::optional<Mapping> given,
             const char* hint) {
  section.node(key);
  if (!given) return false;
  if (*given == mapping) return section.require(key, hint);
  if (section.has(key)) {
    section.refuse(key, {"belongs to mapping = \"" + std::string(mapping_name(mapping)) + "\"",
                         "leave " + std::string(key) + " out"});
  }
  return false;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// In lower case; nullopt if it is not in the form 8-4-4-4-12.
std::optional<std::string> parse_uuid(std::string text) {
  constexpr std::string_view kShape = "00000000-0000-0000-0000-000000000000";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] >= 'A' && text[i] <= 'F') text[i] = static_cast<char>(text[i] - 'A' + 'a');
    if (kShape[i] == '-' ? text[i] != '-' : !is_hex(text[i])) return std::nullopt;
  }
  return text;
}

void read_namespace(Section& section, RetypeStep& step, std::optional<Mapping> given) {
  constexpr const char* kHint =
      "choose a uuid once and never change it: namespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"";
  if (!belongs(section, "namespace", Mapping::kV5, given, kHint)) return;
  const auto text = section.text("namespace");
  if (!text) return;
  const auto uuid = parse_uuid(*text);
  if (!uuid) return section.refuse("namespace", {"is not a uuid", kHint});
  step.v5_namespace = *uuid;
}

void read_from(Section& section, RetypeStep& step, std::optional<Mapping> given) {
  constexpr const char* kHint = "name the column that holds a row's creation time: from = \"created_at\"";
  if (belongs(section, "from", Mapping::kV7, given, kHint)) step.v7_from = read_column(section, "from");
}

std::optional<Expression> read_expression(Section& section, const char* key) {
  const auto text = section.text(key);
  if (!text) return std::nullopt;
  auto checked = check_expression(*text);
  if (auto* refusal = std::get_if<Refusal>(&checked)) {
    // No subquery is allowed here: do not recommend one.
    if (refusal->hint.find("subquery") != std::string::npos) refusal->hint = "a value is computed row by row";
    section.refuse(key, *refusal);
    return std::nullopt;
  }
  auto& expression = std::get<Expression>(checked);
  if (!expression.has_query) return std::move(expression);
  section.refuse(key, {"holds a subquery",
                       "other tables' contents can change; a function may look up what does not change"});
  return std::nullopt;
}

/// The first column reference that is not the bare name of the changed column. Without `column` any one name
/// will do: it is the primary key's, which the server knows.
std::optional<std::string> other_column(const Expression& expression, const std::string& column) {
  const std::string& only =
      column.empty() && !expression.columns.empty() ? expression.columns.front().front() : column;
  for (const auto& parts : expression.columns) {
    std::string name;
    for (const std::string& part : parts)
      name += (name.empty() ? "" : ".") + (part == "*" ? part : written(part));
    if (parts.size() != 1 || parts.front() != only) return name;
  }
  return std::nullopt;
}

/// An expression over only the column itself, because the sync triggers follow no other.
std::string read_conversion(Section& section, const char* key, const RetypeStep& step) {
  auto expression = read_expression(section, key);
  if (!expression) return {};
  const auto other = other_column(*expression, step.column);
  if (!other) return std::move(expression->text);
  section.refuse(key, {"reads " + *other, "it may read only the changed column, by its bare name" +
                                              (step.column.empty() ? "" : ": " + written(step.column))});
  return {};
}

void read_conversions(Section& section, RetypeStep& step) {
  step.using_sql = read_conversion(section, "using", step);
  step.back_sql = read_conversion(section, "back", step);
  if (!section.has("back") || !section.has("mapping")) return;
  section.refuse("back",
                 {"cannot be combined with mapping", "leave back out: a mapping has its own way back"});
}

void read_new_ids(Section& section, RetypeStep& step) {
  auto expression = read_expression(section, "new_ids");
  if (!expression) return;
  if (!expression->columns.empty()) {
    return section.refuse(
        "new_ids",
        {"reads a column", "a default cannot read columns; write, for example, gen_random_uuid()"});
  }
  step.new_ids = std::move(expression->text);
}

void read_cutover(Section& section, RetypeStep& step) {
  const auto word = section.text("cutover");
  if (!word) return;
  step.is_cutover_auto = *word == "auto";
  if (*word == "auto" || *word == "manual") return;
  section.refuse("cutover",
                 {"\"" + *word + "\" is not known", suggestion(*word, {"manual", "auto"}, "cut-overs")});
}

void read_kill_blockers_after(Section& section, RetypeStep& step) {
  constexpr const char* kKey = "kill_blockers_after";
  const auto text = section.text(kKey);
  if (!text) return;
  const auto duration = base::parse_duration(*text);
  if (!duration) {
    return section.refuse(
        kKey, {"must be a duration with its unit (ms, s, min, h, d), such as \"30s\", not \"" + *text + "\"",
               "leave it out to end nobody's transaction"});
  }
  if (*duration < kKillAfterLeast || *duration > kKillAfterMost) {
    return section.refuse(
        kKey, {"must be between " + base::duration_text(kKillAfterLeast) + " and " +
                   base::duration_text(kKillAfterMost) + ", not " + base::duration_text(*duration),
               "leave it out to end nobody's transaction"});
  }
  step.kill_blockers_after = *duration;
}

}  // namespace

RetypeStep read_retype(job::Section& section, std::string name) {
  RetypeStep step;
  step.name = std::move(name);
  read_tables(section, step);
  read_changed_column(section, step);
  read_type(section, step);
  const auto mapping = read_mapping(section);
  step.mapping = mapping.value_or(Mapping::kUsing);
  check_mapping(section, step);
  read_namespace(section, step, mapping);
  read_from(section, step, mapping);
  read_conversions(section, step);
  read_new_ids(section, step);
  read_cutover(section, step);
  read_kill_blockers_after(section, step);
  return step;
}

}  // namespace pgsluice::engine
