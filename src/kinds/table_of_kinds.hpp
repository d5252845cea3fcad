#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::job {
class Section;
}

namespace pgsluice::engine {

/// What distinguishes one kind of step from another. Everything else is up to the StepKind that `make`
/// returns.
struct KindEntry {
  std::string name;                                       // as the job file writes it
  Step (*read)(job::Section& section, std::string name);  // a step's keys other than kind and name
  std::unique_ptr<StepKind> (*make)(const Step& step);
  std::string (*left_behind)(const ledger::KnownStep& known);
  std::string (*left_on_server)(pg::Session& session, const ledger::KnownStep& known, const Step* given);
};

/// A kind that lacks one of its functions does not compile here.
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

/// nullptr if there is no such kind.
const KindEntry* find_kind(const std::string& name);

/// For programs that add their own kind. Not thread-safe: call it before the first job is read. Throws
/// Error(kInternal) if the name is taken.
void add_kind(KindEntry entry);

/// The only place that distinguishes kinds of steps. Throws Error(kJobFile) if the step's kind is unknown.
/// REQUIRES: `step` outlives the result.
std::unique_ptr<StepKind> kind_of(const Step& step);

}  // namespace pgsluice::engine
