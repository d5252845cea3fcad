#include "kinds/definition_change/definition_change.hpp"

#include <algorithm>

#include "kinds/table_of_kinds.hpp"

namespace pgsluice::engine {
namespace {

using Lines = std::vector<std::string>;

bool lacks(const Lines& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) == lines.end();
}

void add_marked(Lines& out, const char* mark, const Lines& lines, const Lines& others) {
  for (const auto& line : lines) {
    if (lacks(others, line)) out.push_back(mark + line);
  }
}

/// Texts shown on one line have their blanks folded.
std::string without_blanks(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line;
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  return text;
}

/// The lines that differ; all of them if only their order differs.
Lines marked(const Lines& was, const Lines& is) {
  Lines out;
  add_marked(out, "- ", was, is);
  add_marked(out, "+ ", is, was);
  if (!out.empty() && without_blanks(was) == without_blanks(is)) out.emplace_back("(they differ in blanks)");
  if (!out.empty()) return out;
  add_marked(out, "- ", was, {});
  add_marked(out, "+ ", is, {});
  return out;
}

}  // namespace

bool DefinitionChange::is_mended(std::size_t place) const {
  return std::any_of(mended.begin(), mended.end(), [&](const Mended& m) { return m.place == place; });
}

std::vector<std::string> difference_of(const ledger::KnownStep& known, const ledger::StepDefinition* given,
                                       std::size_t place) {
  const auto& name = known.record.name;
  const auto at = "\" at place " + std::to_string(place + 1);
  if (given == nullptr) return {"- step \"" + name + "\" is missing"};
  if (given->name != name) return {"- step \"" + name + at, "+ step \"" + given->name + at};
  Lines lines{"step \"" + name + "\":"};
  for (auto& line : marked(known.definition, given->lines)) lines.push_back(std::move(line));
  return lines;
}

std::string standing_of(const ledger::KnownStep& step) {
  if (step.record.state == StepState::kDone) return "it is done";
  if (step.record.state == StepState::kRolledBack) return "";
  // A kind that this program does not know may have done anything that the ledger says of it.
  const auto* kind = find_kind(step.record.kind);
  return kind == nullptr ? StepKind::left_behind(step) : kind->left_behind(step);
}

DefinitionChange definition_change(const std::vector<ledger::KnownStep>& known,
                                   const std::vector<ledger::StepDefinition>& given, const Sameness& is_same,
                                   const Standing& standing) {
  DefinitionChange change;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto* step = i < given.size() ? &given[i] : nullptr;
    const bool is_known = step != nullptr && step->name == known[i].record.name;
    if (is_known && (step->lines == known[i].definition || is_same(known[i].definition, step->lines)))
      continue;
    auto lines = difference_of(known[i], step, i);
    const auto stands = standing(i);
    if (stands.empty()) {
      change.mended.push_back({i, std::move(lines)});
      continue;
    }
    lines.front() += " (" + stands + ")";
    change.refused.insert(change.refused.end(), lines.begin(), lines.end());
  }
  return change;
}

event::Command command_of(const DefinitionChange::Mended& mended) {
  std::string lines;
  for (const auto& line : mended.difference) lines += (lines.empty() ? "" : "; ") + line;
  return {"the job file", "new definition:", lines, "the old one has changed nothing that remains"};
}

}  // namespace pgsluice::engine
