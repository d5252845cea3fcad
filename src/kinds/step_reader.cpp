#include "kinds/step_reader.hpp"

#include <utility>
#include <vector>

#include "job/read/name.hpp"
#include "job/read/suggestion.hpp"
#include "kinds/table_of_kinds.hpp"

namespace pgsluice::engine {
namespace {

/// "sql, index or verify", each within `quote`.
std::string list_of_kinds(const char* quote) {
  std::string list;
  const auto& kinds = table_of_kinds();
  for (std::size_t i = 0; i < kinds.size(); ++i)
    list += (i == 0 ? "" : i + 1 == kinds.size() ? " or " : ", ") + (quote + kinds[i].name + quote);
  return list;
}

job::Refusal unknown_kind(const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& known : table_of_kinds()) names.push_back(known.name);
  return {"\"" + kind + "\" is not known", job::suggestion(kind, names, "kinds")};
}

std::string read_name(job::Section& section) {
  section.require("name", "name every step: its progress is kept under that name");
  const auto name = section.text("name");
  if (!name) return {};
  if (const auto refusal = job::check_name(*name)) section.refuse("name", *refusal);
  return *name;
}

}  // namespace

std::optional<Step> read_step(job::Section& section) {
  std::string name = read_name(section);
  const bool has_kind = section.require("kind", "write kind = " + list_of_kinds("\""));
  const auto kind = section.text("kind");
  const auto* known = kind ? find_kind(*kind) : nullptr;
  if (known == nullptr) {
    if (has_kind && kind) section.refuse("kind", unknown_kind(*kind));
    section.ignore_rest();
    return std::nullopt;
  }
  return known->read(section, std::move(name));
}

}  // namespace pgsluice::engine
