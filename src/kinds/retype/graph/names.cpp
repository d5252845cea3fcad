#include "kinds/retype/graph/names.hpp"

#include <cstdint>
#include <cstdio>

#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr std::size_t kNameMax = 63;  // bytes, NAMEDATALEN - 1

/// FNV-1a, 32 bits: the same on every machine and in every version.
std::string hash_of(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08x", hash);
  return hex;
}

/// `name` with `tail` behind it, cut at a whole character if both would not fit.
std::string cut(const std::string& name, const std::string& tail) {
  if (name.size() + tail.size() <= kNameMax) return name + tail;
  auto end = kNameMax - tail.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + tail;
}

std::string fitted(const std::string& name, const std::string& suffix) {
  if (name.size() + suffix.size() <= kNameMax) return name + suffix;
  return cut(name, "_" + hash_of(name) + suffix);
}

/// Different lists of parts do not hash alike just because they read alike when joined.
std::string hash_of_parts(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += std::to_string(part.size()) + ":" + part;
  return hash_of(all);
}

/// An object of ours in our own schema that belongs to a table.
std::string of_table(const Owner& owner, const std::string& kind, const GraphTable& table,
                     const std::string& column = {}) {
  const auto which = column.empty() ? owner.step : owner.step + "_" + column;
  const auto name = owner.is_named_by_step
                        ? fitted(kind + "_" + which + "_" + table.schema + "_" + table.name, "")
                        : cut(kind + "_" + table.schema + "_" + table.name,
                              "_" + hash_of_parts({owner.job, owner.step, table.schema, table.name, column}));
  return pg::Identifier("pgsluice", name).sql();
}

std::string trigger(const Owner& owner, const std::string& suffix) {
  const auto name = "zzz_pgsluice_" + owner.step;
  if (owner.is_named_by_step) return fitted(name, suffix);
  return cut(name, "_" + hash_of_parts({owner.job, owner.step}) + suffix);
}

}  // namespace

std::string new_name(const std::string& name) {
  return fitted(name, "_new");
}

std::string old_name(const std::string& name) {
  return fitted(name, "_old");
}

std::string sync_function(const Owner& owner, const GraphTable& table) {
  return of_table(owner, "sync", table);
}

std::string late_function(const Owner& owner, const GraphTable& table) {
  return of_table(owner, "late", table);
}

std::string key_sequence(const Owner& owner, const GraphTable& table, const GraphColumn& column) {
  return of_table(owner, "ids", table, column.name);
}

std::string insert_trigger(const Owner& owner) {
  return trigger(owner, "_insert");
}

std::string update_trigger(const Owner& owner) {
  return trigger(owner, "_update");
}

std::string late_trigger(const Owner& owner) {
  return trigger(owner, "_late");
}

std::string filled_check(const std::string& column) {
  return fitted("pgsluice_filled_" + column, "");
}

std::string map_check(const std::string& column) {
  return fitted("pgsluice_map_" + column, "");
}

}  // namespace pgsluice::steps::retype
