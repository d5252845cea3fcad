#pragma once

#include "job/read/section.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// A step that makes a view: what somebody would write who brings a kind of their own.
struct ViewStep {
  static constexpr const char* kKind = "view";

  std::string name;
  std::string query;
};

class ViewKind final : public KindOf<ViewStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;
  void prove(const StepAt& at, std::vector<VerifyResult>& results) const override;

 private:
  steps::DdlStatement statement() const;
  std::string drop_sql() const;
};

}  // namespace pgsluice::engine
