#pragma once

#include "job/read/section.hpp"
#include "kinds/compare/comparison.hpp"
#include "kinds/compare/mending.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "copy": rows of another table, also of another database, in batches along its key.
class CopyKind final : public KindOf<CopyStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_behind(const ledger::KnownStep& known);
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  boost::asio::awaitable<void> undo(RunningStep& step, const RollbackAct& act) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;
  void require_mendable(const StepAt& at) const override;
  void mend(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  void survey_follow(const StepAt& at, const Traces& traces, RollbackAct& act, RollbackSurvey& survey) const;
  /// One for each table.
  std::vector<CopyStep> copies() const;
  std::string targets_in_words() const;
  /// Places of the earlier steps whose `down` drops what it copies into.
  std::optional<std::vector<std::size_t>> takers(const StepAt& at) const;
  VerifyResult result_of(const StepAt& at, const CopyStep& copy, const Differences& found) const;
  std::unique_ptr<Mender> mender_of(Comparison::Sides sides, const Comparison& comparison,
                                    const CopyMender::Place& place) const;
};

}  // namespace pgsluice::engine
