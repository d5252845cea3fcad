#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ledger/definitions.hpp"
#include "ledger/jobs.hpp"
#include "pgsluice/event.hpp"

namespace pgsluice::engine {

/// How a job differs from the ledger's definition under its name. A step that has left something behind keeps
/// its name, place and meaning; any other step may change in every way or be removed.
struct DefinitionChange {
  struct Mended {
    std::size_t place = 0;  // among the known steps
    std::vector<std::string> difference;
  };
  std::vector<std::string> refused;  // the differing lines of steps that have left something behind, and what
  std::vector<Mended> mended;        // known steps to be rewritten

  bool is_mended(std::size_t place) const;
};

/// Whether two definitions do the same.
using Sameness = std::function<bool(const std::vector<std::string>&, const std::vector<std::string>&)>;
/// What remains of a known step that the file defines differently, in words; empty: nothing.
using Standing = std::function<std::string(std::size_t place)>;

DefinitionChange definition_change(const std::vector<ledger::KnownStep>& known,
                                   const std::vector<ledger::StepDefinition>& given, const Sameness& is_same,
                                   const Standing& standing);

/// What a step has left behind, by the ledger alone.
std::string standing_of(const ledger::KnownStep& step);

/// "- was" and "+ is", one line each, after the line `step "fill":`.
std::vector<std::string> difference_of(const ledger::KnownStep& known, const ledger::StepDefinition* given,
                                       std::size_t place);

/// What the event log says about it.
event::Command command_of(const DefinitionChange::Mended& mended);

}  // namespace pgsluice::engine
