#include "job/read/sql_texts.hpp"

#include <utility>

#include "job/sql/sql_rules.hpp"

namespace pgsluice::job {

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

}  // namespace pgsluice::job
