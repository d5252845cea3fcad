#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "sql": statements in one transaction, with `down` to undo them.
class SqlKind final : public StepKind {
 public:
  /// REQUIRES: `step` outlives it.
  explicit SqlKind(const SqlStep& step) : step_(step) {}

  void foresee(Outlook& outlook) const override;
  void check(const StepAt& at, ChecksTogether& together, Findings& findings) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  std::vector<std::string> down() const override { return step_.down; }
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;

 private:
  const SqlStep& step_;
};

}  // namespace pgsluice::engine
