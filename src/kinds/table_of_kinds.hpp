#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::job {
class Section;
}

namespace pgsluice::engine {

/// What tells one kind of step from another. All else is asked of the StepKind that `make` returns.
struct KindEntry {
  std::string name;                                       // as the job file writes it
  Step (*read)(job::Section& section, std::string name);  // the keys of a step beside kind and name
  std::unique_ptr<StepKind> (*make)(const Step& step);
  std::string (*left_behind)(const ledger::KnownStep& known);
  std::string (*left_on_server)(pg::Session& session, const ledger::KnownStep& known, const Step* given);
};

/// A kind that misses one of its answers does not compile here.
template <class Kind>
KindEntry entry_of() {
  return {Kind::Definition::kKind, &Kind::read,
          [](const Step& step) -> std::unique_ptr<StepKind> {
            return std::make_unique<Kind>(*step.as<typename Kind::Definition>());
          },
          &Kind::left_behind, &Kind::left_on_server};
}

/// All kinds, in the order in which messages name them.
const std::vector<KindEntry>& table_of_kinds();

/// nullptr: there is no such kind.
const KindEntry* find_kind(const std::string& name);

/// For programs that bring a kind of their own. Not thread-safe: before the first job is read. Throws
/// Error(kInternal) if the name is taken.
void add_kind(KindEntry entry);

/// The one place that tells steps apart. Throws Error(kJobFile) if the step's kind is unknown. REQUIRES:
/// `step` outlives the answer.
std::unique_ptr<StepKind> kind_of(const Step& step);

}  // namespace pgsluice::engine
