#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "index": built concurrently, on a session of its own.
class IndexKind final : public StepKind {
 public:
  /// REQUIRES: `step` outlives it.
  explicit IndexKind(const IndexStep& step) : step_(step) {}

  void check(const StepAt& at, ChecksTogether& together, Findings& findings) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;

 private:
  void drop(OperatorAct& act, const Job& job, const RollbackAct& undo) const;

  const IndexStep& step_;
};

}  // namespace pgsluice::engine
