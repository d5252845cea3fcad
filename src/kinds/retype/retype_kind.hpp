#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "retype": a column's new type, with every foreign key that points at it, and a way back until
/// contract.
class RetypeKind final : public StepKind {
 public:
  /// REQUIRES: `step` outlives it.
  explicit RetypeKind(const RetypeStep& step) : step_(step) {}

  const RetypeStep* to_rehearse() const override { return &step_; }
  void check(const StepAt& at, ChecksTogether& together, Findings& findings) const override;
  void check_begun(const StepAt& at, Findings& findings) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  std::optional<std::string> standing(pg::Session& session, const Job& job) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  const RetypeStep& step_;
};

/// "users", "orders" and of the tables that refer to them: which columns a retype changes.
std::string tables_in_words(const RetypeStep& step);

}  // namespace pgsluice::engine
