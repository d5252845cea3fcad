#include "job/read/section.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "job/read/suggestion.hpp"

namespace pgsluice::job {
namespace {

Position position(const toml::source_region& source) {
  return {static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

}  // namespace

Position position_of(const toml::node& node) {
  return position(node.source());
}

std::string_view type_words(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

Section::Section(const toml::table& table, Position where, std::string label, std::string prefix,
                 Diagnostics& diagnostics)
    : table_(&table),
      header_(where),
      label_(std::move(label)),
      prefix_(std::move(prefix)),
      diagnostics_(&diagnostics) {}

const toml::node* Section::node(std::string_view key) {
  known_.emplace_back(key);
  return table_->get(key);
}

std::optional<std::string> Section::string_value(const toml::node& node, std::string_view key,
                                                 std::string_view wanted) {
  const auto* value = node.as_string();
  if (value == nullptr) {
    refuse_type(node, key, wanted);
    return std::nullopt;
  }
  if (value->get().find('\0') != std::string::npos) {
    refuse_at(position_of(node), key, {"contains a NUL character", "no text in PostgreSQL can contain one"});
    return std::nullopt;
  }
  return value->get();
}

std::optional<std::string> Section::text(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  return string_value(*found, key, "a string");
}

std::optional<bool> Section::flag(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_boolean()) return value->get();
  refuse_type(*found, key, "true or false");
  return std::nullopt;
}

std::optional<std::vector<Located<std::string>>> Section::texts(std::string_view key, bool or_single) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const std::string_view wanted = or_single ? "a string or an array of strings" : "an array of strings";
  std::vector<Located<std::string>> values;
  const auto* list = found->as_array();
  if (list == nullptr && !(or_single && found->is_string())) {
    refuse_type(*found, key, wanted);
    return std::nullopt;
  }
  const auto take = [&](const toml::node& item) {
    if (auto value = string_value(item, key, wanted))
      values.push_back({std::move(*value), position_of(item)});
  };
  if (list == nullptr) take(*found);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) take((*list)[i]);
  return values;
}

std::optional<Section> Section::section(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const std::string path = prefix_ + std::string(key);
  if (const auto* table = found->as_table()) {
    return Section(*table, where(key), "[" + path + "]", path + ".", *diagnostics_);
  }
  refuse_type(*found, key, "a table", "write [" + path + "] on its own line");
  return std::nullopt;
}

std::vector<Section::Entry> Section::entries() const {
  std::vector<Entry> entries;
  for (const auto& [key, value] : *table_)
    entries.push_back({std::string(key.str()), position(key.source()), &value});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.key_at.line, a.key_at.column) < std::tie(b.key_at.line, b.key_at.column);
  });
  return entries;
}

Position Section::where(std::string_view key) const {
  const toml::node* found = table_->get(key);
  return found == nullptr ? header_ : position_of(*found);
}

void Section::refuse_at(Position where, std::string_view key, const Refusal& refusal) {
  diagnostics_->add(where, prefix_ + std::string(key) + " " + refusal.message, refusal.hint);
}

void Section::refuse_type(const toml::node& node, std::string_view key, std::string_view wanted,
                          std::string hint) {
  refuse_at(position_of(node), key,
            {"must be " + std::string(wanted) + ", not " + std::string(type_words(node)), std::move(hint)});
}

bool Section::require(std::string_view key, const std::string& hint) {
  if (has(key)) return true;
  known_.emplace_back(key);
  diagnostics_->add(header_, label_ + " lacks " + std::string(key), hint);
  return false;
}

void Section::finish() {
  if (ignore_rest_) return;
  std::sort(known_.begin(), known_.end());
  known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
  for (const Entry& entry : entries()) {
    if (std::binary_search(known_.begin(), known_.end(), entry.key)) continue;
    diagnostics_->add(entry.key_at, "unknown key \"" + entry.key + "\" in " + label_,
                      suggestion(entry.key, known_, "keys"));
  }
}

}  // namespace pgsluice::job
