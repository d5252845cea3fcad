#include "kinds/compare/read_two_tables.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "job/read/scalar_text.hpp"
#include "job/read/sql_names.hpp"
#include "job/sql/expression.hpp"
#include "job/sql/table_name.hpp"
#include "pg/connection/connection_target.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

using namespace job;

namespace {

constexpr const char* kFromHint = "write from = { dsn = \"service=…\", table = \"public.users\" }";
constexpr const char* kColumnsHint =
    "write columns = { column = \"SQL expression over the source's columns\" }";

void read_where(Section& from, CopyStep& step) {
  const auto text = from.text("where");
  if (!text) return;
  auto condition = check_expression(*text);
  if (auto* refusal = std::get_if<Refusal>(&condition)) {
    if (refusal->message == "is empty") refusal->hint = "leave where out to copy every row";
    return from.refuse("where", *refusal);
  }
  step.where = std::get<Expression>(std::move(condition)).text;
}

void read_from(Section& section, CopyStep& step) {
  if (!section.require("from", kFromHint)) return;
  auto from = section.section("from");
  if (!from) return;
  read_dsn(*from, step);
  from->require("table", kFromHint);
  if (auto table = read_table(*from, "table")) step.from = std::move(*table);
  read_where(*from, step);
  from->finish();
}

void read_column(Section& columns, CopyStep& step, const Section::Entry& entry) {
  auto name = parse_column_name(entry.key);
  if (const auto* refusal = std::get_if<Refusal>(&name))
    return columns.refuse_at(entry.key_at, entry.key, *refusal);
  const auto text = sql_text(*entry.node);
  if (!text)
    return columns.refuse_type(*entry.node, entry.key, "an SQL expression in a string, a number or a boolean",
                               "write the expression as a string: \"DATE '2024-01-01'\"");
  auto value = check_expression(*text);
  if (const auto* refusal = std::get_if<Refusal>(&value))
    return columns.refuse_at(position_of(*entry.node), entry.key, *refusal);
  auto& column = std::get<std::string>(name);
  const bool is_twice = std::any_of(step.columns.begin(), step.columns.end(),
                                    [&](const Assignment& a) { return a.column == column; });
  if (is_twice)
    return columns.refuse_at(entry.key_at, entry.key,
                             {"names column " + written(column) + " twice", "name each column once"});
  step.columns.push_back({std::move(column), std::get<Expression>(std::move(value)).text});
}

void read_assignments(Section& section, CopyStep& step) {
  const toml::node* node = section.node("columns");
  if (node == nullptr) return;
  const auto* table = node->as_table();
  if (table == nullptr) return section.refuse_type(*node, "columns", "a table", kColumnsHint);
  Section columns(*table, position_of(*node), section.label() + ": columns", section.label() + ": columns.",
                  section.diagnostics());
  for (const auto& entry : columns.entries()) read_column(columns, step, entry);
}

}  // namespace

void read_dsn(Section& from, CopyStep& step) {
  const auto text = from.text("dsn");
  if (!text) return;
  try {
    const pg::ConnectionTarget readable(*text);
    step.from_dsn = *text;
  } catch (const Error& e) {
    from.refuse("dsn", {"cannot be read as a connection string", e.hint()});
  }
}

void read_two_tables(Section& section, CopyStep& step) {
  read_from(section, step);
  section.require("to", "write to = \"public.users\"");
  if (auto table = read_table(section, "to")) step.to = std::move(*table);
  read_assignments(section, step);
}

}  // namespace pgsluice::engine
