#include "steps/retype/names.hpp"

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

std::string fitted(const std::string& name, const std::string& suffix) {
  if (name.size() + suffix.size() <= kNameMax) return name + suffix;
  const auto tail = "_" + hash_of(name) + suffix;
  auto end = kNameMax - tail.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;  // whole characters
  return name.substr(0, end) + tail;
}

/// Something of ours that belongs to a table, in our own schema.
std::string of_table(const std::string& prefix, const GraphTable& table) {
  return pg::Identifier("pgsluice", fitted(prefix + "_" + table.schema + "_" + table.name, "")).sql();
}

}  // namespace

std::string new_name(const std::string& name) {
  return fitted(name, "_new");
}

std::string old_name(const std::string& name) {
  return fitted(name, "_old");
}

std::string sync_function(const std::string& step, const GraphTable& table) {
  return of_table("sync_" + step, table);
}

std::string late_function(const std::string& step, const GraphTable& table) {
  return of_table("late_" + step, table);
}

std::string key_sequence(const std::string& step, const GraphTable& table, const GraphColumn& column) {
  return of_table("ids_" + step + "_" + column.name, table);
}

std::string insert_trigger(const std::string& step) {
  return fitted("zzz_pgsluice_" + step, "_insert");
}

std::string update_trigger(const std::string& step) {
  return fitted("zzz_pgsluice_" + step, "_update");
}

std::string late_trigger(const std::string& step) {
  return fitted("zzz_pgsluice_" + step, "_late");
}

std::string filled_check(const std::string& column) {
  return fitted("pgsluice_filled_" + column, "");
}

std::string map_check(const std::string& column) {
  return fitted("pgsluice_map_" + column, "");
}

}  // namespace pgsluice::steps::retype
