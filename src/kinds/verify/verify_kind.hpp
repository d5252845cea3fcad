#pragma once

#include "job/read/section.hpp"
#include "kinds/compare/comparison.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "verify": one value from a read-only transaction, or all rows of two tables. Nothing can block it,
/// and there is nothing to undo.
class VerifyKind final : public KindOf<VerifyStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_behind(const ledger::KnownStep& known);
  bool writes() const override { return false; }
  void check(const StepAt& /*at*/, bool /*reads_values*/, Findings& /*findings*/) const override {}
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& /*at*/) const override { return {true, "nothing to undo: it only reads"}; }
  void survey(const StepAt& /*at*/, const Traces& /*traces*/, RollbackAct& /*act*/,
              RollbackSurvey& /*survey*/) const override {}
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  boost::asio::awaitable<void> ask(RunningStep& step) const;
  VerifyResult result_of(const Differences& found) const;
};

}  // namespace pgsluice::engine
