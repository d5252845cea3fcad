#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "job/read/diagnostics.hpp"
#include "job/read/name.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/backfill/backfill_kind.hpp"
#include "kinds/backfill/backfill_rules.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice {
namespace engine {

using namespace job;

namespace {

/// FNV-1a, 32 bits: enough to distinguish the few definitions that one table ever gets; the ledger compares
/// the whole definition.
std::uint32_t digest(const std::vector<std::string>& lines) {
  std::uint32_t hash = 2'166'136'261U;
  for (const std::string& line : lines) {
    for (const char c : line + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  }
  return hash;
}

/// The table's name in the characters that a job name may have, short enough to leave room for the rest.
std::string name_part(const TableName& table) {
  constexpr std::size_t kBytesMost = 40;
  std::string part;
  for (const char c : (table.schema.empty() ? "" : table.schema + "-") + table.name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    part += fits ? c : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : '-';
  }
  return part.substr(0, kBytesMost);
}

std::string derived_name(const BackfillStep& step) {
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x",
                static_cast<unsigned>(digest(BackfillKind(step).definition())));
  return "backfill-" + name_part(step.table) + "-" + hex.data();
}

/// "column = expression"; the column may be quoted and then contain an equals sign itself.
std::optional<Refusal> add_set_item(BackfillStep& step, const std::string& item) {
  constexpr const char* kHint = "write --set \"column = expression\"";
  std::string_view rest = item;
  auto column = take_identifier(rest);
  if (auto* refusal = std::get_if<Refusal>(&column)) return std::move(*refusal);
  if (rest.empty() || rest.front() != '=') return Refusal{"lacks the equals sign after the column", kHint};
  const std::size_t column_bytes = item.size() - rest.size();
  return add_assignment(step, std::string_view(item).substr(0, column_bytes), rest.substr(1));
}

/// Collects mistakes in flags, which have no line.
class Flags {
 public:
  void refuse(const char* flag, const std::optional<Refusal>& refusal) {
    if (refusal) found_.push_back({flag, 0, 0, std::string(flag) + " " + refusal->message, refusal->hint});
  }
  std::vector<Diagnostic> take() { return std::move(found_); }

 private:
  std::vector<Diagnostic> found_;
};

BackfillStep read_flags(const BackfillFlags& flags, Flags& mistakes) {
  BackfillStep step;
  step.name = "fill";
  auto table = parse_table_name(flags.table);
  if (auto* refusal = std::get_if<Refusal>(&table)) mistakes.refuse("--table", std::move(*refusal));
  if (auto* name = std::get_if<TableName>(&table)) step.table = std::move(*name);
  for (const std::string& column : flags.key) mistakes.refuse("--key", add_key_column(step, column));
  if (flags.set.empty())
    mistakes.refuse("--set", Refusal{"is missing", "write --set \"column = expression\""});
  for (const std::string& item : flags.set) mistakes.refuse("--set", add_set_item(step, item));
  if (!flags.where.empty()) mistakes.refuse("--where", set_where(step, flags.where));
  if (const std::string column = changed_key_column(step); !column.empty()) {
    mistakes.refuse("--set", Refusal{"changes the key column " + written(column),
                                     "walk along another unique key: --key"});
  }
  return step;
}

}  // namespace
}  // namespace engine

JobFile job_from_flags(const BackfillFlags& flags) {
  engine::Flags mistakes;
  JobFile file;
  BackfillStep step = engine::read_flags(flags, mistakes);
  if (!flags.name.empty()) mistakes.refuse("--name", job::check_name(flags.name));
  file.job.name = flags.name.empty() ? engine::derived_name(step) : flags.name;
  file.job.steps.emplace_back(std::move(step));
  file.diagnostics = mistakes.take();
  return file;
}

}  // namespace pgsluice
