#pragma once

#include "job/read/section.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "index": built concurrently, on a separate session.
class IndexKind final : public KindOf<IndexStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_on_server(pg::Session& session, const ledger::KnownStep& known, const Step* given);
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;
};

}  // namespace pgsluice::engine
