#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "backfill": rows changed in batches. Their old values are not kept.
class BackfillKind final : public StepKind {
 public:
  /// REQUIRES: `step` outlives it.
  explicit BackfillKind(const BackfillStep& step) : step_(step) {}

  void check(const StepAt& at, ChecksTogether& together, Findings& findings) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  const BackfillStep& step_;
};

}  // namespace pgsluice::engine
