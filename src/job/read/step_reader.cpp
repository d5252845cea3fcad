#include "job/read/step_reader.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "job/read/backfill_rules.hpp"
#include "job/read/scalar_text.hpp"
#include "job/read/suggestion.hpp"
#include "job/sql/sql_rules.hpp"

namespace pgsluice::job {
namespace {

std::vector<std::string> read_statements(Section& section, const char* key) {
  std::vector<std::string> statements;
  for (const auto& text : section.texts(key, true).value_or(std::vector<Located<std::string>>{})) {
    auto checked = check_sql(text.value);
    if (const auto* refusal = std::get_if<Refusal>(&checked)) {
      section.refuse_at(text.where, key, *refusal);
      continue;
    }
    for (auto& statement : std::get<0>(checked)) statements.push_back(std::move(statement));
  }
  return statements;
}

/// Reports a list that is there but empty.
void refuse_empty(Section& section, const char* key, const char* hint) {
  const toml::node* node = section.node(key);
  if (node == nullptr || !node->is_array() || !node->as_array()->empty()) return;
  section.refuse(key, {"holds no statement", hint});
}

std::string read_checked(Section& section, const char* key, Checked<std::string> (*check)(std::string_view)) {
  const auto text = section.text(key);
  if (!text) return {};
  auto checked = check(*text);
  if (const auto* refusal = std::get_if<Refusal>(&checked)) {
    section.refuse(key, *refusal);
    return {};
  }
  return std::get<std::string>(std::move(checked));
}

Step read_sql(Section& section, std::string name) {
  SqlStep step{std::move(name), {}, {}};
  section.require("up", "write up = \"ALTER TABLE …\"");
  step.up = read_statements(section, "up");
  step.down = read_statements(section, "down");
  refuse_empty(section, "up", "write up = \"ALTER TABLE …\"");
  refuse_empty(section, "down", "leave down out if the step cannot be undone");
  return step;
}

Step read_index(Section& section, std::string name) {
  section.require("sql", "write sql = \"CREATE INDEX CONCURRENTLY name ON table (column)\"");
  return IndexStep{std::move(name), read_checked(section, "sql", check_index)};
}

Step read_verify(Section& section, std::string name) {
  VerifyStep step{std::move(name), {}, {}};
  section.require("query", "write query = \"SELECT count(*) FROM …\"");
  step.query = read_checked(section, "query", check_query);
  if (!section.require("expect", "write the value that the query must return, such as expect = \"0\""))
    return step;
  const toml::node& expected = *section.node("expect");
  if (auto text = result_text(expected)) {
    step.expect = std::move(*text);
  } else {
    section.refuse_type(expected, "expect", "a string, a number or a boolean");
  }
  return step;
}

using Reader = Step (*)(Section&, std::string);

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> kReaders = {
      {"sql", read_sql},
      {"index", read_index},
      {"backfill",
       [](Section& section, std::string name) -> Step { return read_backfill(section, std::move(name)); }},
      {"verify", read_verify},
      {"retype",
       [](Section& section, std::string name) -> Step { return read_retype(section, std::move(name)); }}};
  return kReaders;
}

Refusal unknown_kind(const std::string& kind) {
  for (const char* planned : {"constraint", "purge", "copy"}) {
    if (kind == planned)
      return {"\"" + kind + "\" is not available yet in this version",
              "use sql, index, backfill, verify or retype"};
  }
  return {"\"" + kind + "\" is not known",
          suggestion(kind, {"sql", "index", "backfill", "verify", "retype"}, "kinds")};
}

std::string read_name(Section& section) {
  section.require("name", "name every step: its progress is kept under that name");
  const auto name = section.text("name");
  if (!name) return {};
  if (const auto refusal = check_name(*name)) section.refuse("name", *refusal);
  return *name;
}

}  // namespace

std::optional<Step> read_step(Section& section) {
  std::string name = read_name(section);
  const bool has_kind =
      section.require("kind", "write kind = \"sql\", \"index\", \"backfill\", \"verify\" or \"retype\"");
  const auto kind = section.text("kind");
  const auto reader = kind ? readers().find(*kind) : readers().end();
  if (reader == readers().end()) {
    if (has_kind && kind) section.refuse("kind", unknown_kind(*kind));
    section.ignore_rest();
    return std::nullopt;
  }
  return reader->second(section, std::move(name));
}

}  // namespace pgsluice::job
