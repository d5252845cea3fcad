#include "job/sql/lock_table.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgsluice::job {
namespace {

// Subcommands that take less than ACCESS EXCLUSIVE, whatever their arguments.
constexpr std::array<std::string_view, 8> kShareUpdateExclusive = {
    "AT_SetStatistics",      "AT_SetOptions",      "AT_ResetOptions",
    "AT_ValidateConstraint", "AT_AttachPartition", "AT_DetachPartitionFinalize",
    "AT_ClusterOn",          "AT_DropCluster"};
constexpr std::array<std::string_view, 8> kShareRowExclusive = {
    "AT_EnableTrig",     "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrigAll",
    "AT_EnableTrigUser", "AT_DisableTrig",      "AT_DisableTrigAll",    "AT_DisableTrigUser"};

// Storage parameters that running statements of other sessions rely on; all others, including fillfactor and
// autovacuum's, are read when needed.
constexpr std::array<std::string_view, 9> kStrictParameters = {
    "user_catalog_table", "security_barrier",       "security_invoker", "check_option", "buffering",
    "fastupdate",         "gin_pending_list_limit", "pages_per_range",  "autosummarize"};

template <class Names>
bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LockMode parameters_lock(const Tree& command) {
  for (const Tree& item : child(child(child(command, "def"), "List"), "items")) {
    const std::string name = text_of(child(item, "DefElem"), "defname");
    if (holds(kStrictParameters, name)) return LockMode::kAccessExclusive;
  }
  return LockMode::kShareUpdateExclusive;
}

LockMode constraint_lock(const Tree& command) {
  const std::string type = text_of(child(child(command, "def"), "Constraint"), "contype");
  return type == "CONSTR_FOREIGN" ? LockMode::kShareRowExclusive : LockMode::kAccessExclusive;
}

LockMode detach_lock(const Tree& command) {
  const bool concurrent = is_set(child(child(command, "def"), "PartitionCmd"), "concurrent");
  return concurrent ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive;
}

}  // namespace

std::string lock_name(LockMode mode) {
  static constexpr std::array<const char*, 9> kNames = {
      "",      "ACCESS SHARE",        "ROW SHARE", "ROW EXCLUSIVE",   "SHARE UPDATE EXCLUSIVE",
      "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"};
  return kNames.at(static_cast<std::size_t>(mode));
}

LockMode alter_table_lock(const Tree& command) {
  const std::string subtype = text_of(command, "subtype");
  if (holds(kShareUpdateExclusive, subtype)) return LockMode::kShareUpdateExclusive;
  if (holds(kShareRowExclusive, subtype)) return LockMode::kShareRowExclusive;
  if (subtype == "AT_SetRelOptions" || subtype == "AT_ResetRelOptions") return parameters_lock(command);
  if (subtype == "AT_AddConstraint") return constraint_lock(command);
  if (subtype == "AT_DetachPartition") return detach_lock(command);
  return LockMode::kAccessExclusive;
}

}  // namespace pgsluice::job
