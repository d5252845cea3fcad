#pragma once

#include "job/read/section.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// kind = "retype": a column's new type, with every foreign key that points at it, and a way back until
/// contract.
class RetypeKind final : public KindOf<RetypeStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_behind(const ledger::KnownStep& known);
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  void check_begun(const StepAt& at, Findings& findings) const override;
  boost::asio::awaitable<bool> look_before_writing(RunningStep& step, const Outlook& outlook) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  std::optional<std::string> standing(pg::Session& session, const Job& job) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;
};

/// "users", "orders" and of the tables that refer to them: which columns a retype changes.
std::string tables_in_words(const RetypeStep& step);

}  // namespace pgsluice::engine
