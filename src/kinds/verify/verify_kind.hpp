#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "verify": one value from a read-only transaction. Nothing stands in its way, and nothing is undone.
class VerifyKind final : public StepKind {
 public:
  /// REQUIRES: `step` outlives it.
  explicit VerifyKind(const VerifyStep& step) : step_(step) {}

  bool writes() const override { return false; }
  void check(const StepAt& /*at*/, ChecksTogether& /*together*/, Findings& /*findings*/) const override {}
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& /*at*/) const override { return {true, "nothing to undo: it only reads"}; }
  void survey(const StepAt& /*at*/, const Traces& /*traces*/, RollbackAct& /*act*/,
              RollbackSurvey& /*survey*/) const override {}
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  const VerifyStep& step_;
};

}  // namespace pgsluice::engine
