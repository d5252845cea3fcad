#pragma once

#include "job/read/section.hpp"
#include "kinds/constraint/constraint_facts.hpp"
#include "kinds/kind/step_kind.hpp"
#include "ledger/acts.hpp"

namespace pgsluice::engine {

/// kind = "constraint": NOT NULL, CHECK, FOREIGN KEY, UNIQUE or PRIMARY KEY on a table in use: violating rows
/// are found first, then it is added without blocking anybody for long, act by act.
class ConstraintKind final : public KindOf<ConstraintStep> {
 public:
  using KindOf::KindOf;

  static Step read(job::Section& section, std::string name);
  std::vector<std::string> definition() const override;
  static std::string left_behind(const ledger::KnownStep& known);
  void check(const StepAt& at, bool reads_values, Findings& findings) const override;
  boost::asio::awaitable<void> run(RunningStep& step) const override;
  void plan(const StepAt& at, PlannedStep& planned) const override;
  std::optional<std::string> standing(pg::Session& session, const Job& job) const override;
  Undo undo_planned(const StepAt& at) const override;
  void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
              RollbackSurvey& survey) const override;
  std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const override;
  void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const override;

 private:
  boost::asio::awaitable<void> add(RunningStep& step) const;
  /// What stands now: of the acts first, or one that another run has just done would be taken for one that is
  /// gone.
  struct Seen {
    std::vector<ledger::ActRecord> acts;
    ConstraintFacts facts;
  };
  boost::asio::awaitable<Seen> look(RunningStep& step) const;
};

}  // namespace pgsluice::engine
