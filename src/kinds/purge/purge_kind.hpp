#pragma once

#include <string>
#include <vector>

#include "job/read/section.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "purge": rows deleted in batches, which may go to an archive table in the same transaction.
class PurgeKind final : public KindOf<PurgeStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_behind(const ledger::KnownStep& known);
  bool is_repeated() const override { return step_.repeat; }
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  std::optional<std::string> standing(pg::Session& session, const Job& job) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;
};

}  // namespace pgsluice::engine
