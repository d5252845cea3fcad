#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/kind/undoing.hpp"
#include "ledger/jobs.hpp"
#include "ledger/undo.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// A step's place in its job, while one of the questions below is asked. What it refers to outlives the call.
struct StepAt {
  pg::Session& session;
  const Job& job;
  std::size_t place = 0;             // among job.steps
  const ledger::StepRecord& record;  // of the ledger; its state is empty if the ledger knows nothing of it
  const Downs& downs;                // of all steps of the job
  Outlook& outlook;                  // what earlier steps that have yet to run will have done to the schema
};

/// What is checked of all steps together, once each was asked.
struct ChecksTogether {
  bool reads_values = false;  // also what only a read of whole tables tells
  std::vector<RetypeStep> retypes_to_begin{};
};

/// One answer of `verify`.
struct VerifyResult {
  std::string step;
  std::string expected;
  std::string actual;
  bool matches = false;
};

/// What a step of one kind is in every tense but the running: one object a step, which the table of kinds
/// makes. Each call blocks, belongs to the thread of its session and throws Error or Failure. A new kind
/// answers these; kinds do not know each other.
class StepKind {
 public:
  StepKind() = default;
  virtual ~StepKind() = default;
  StepKind(const StepKind&) = delete;
  StepKind& operator=(const StepKind&) = delete;

  /// What its statements will do to the schema, for the steps behind it. Most do nothing to it.
  virtual void foresee(Outlook& /*outlook*/) const {}

  /// Whether it changes anything.
  virtual bool writes() const { return true; }
  /// What has to be rehearsed before the job's first write; nullptr: nothing.
  virtual const RetypeStep* to_rehearse() const { return nullptr; }

  /// What stands in its way, before it is done.
  virtual void check(const StepAt& at, ChecksTogether& together, Findings& findings) const = 0;
  /// What must still be as it was made, once it has begun; also when it is done.
  virtual void check_begun(const StepAt& /*at*/, Findings& /*findings*/) const {}

  /// What it will send, unless it is done. Tells the outlook what it foresees.
  virtual void plan(const StepAt& at, PlannedStep& planned) const = 0;
  /// How rollback undoes it, for the plan.
  virtual Undo undo_planned(const StepAt& at) const = 0;

  /// What stands of it when a statement of it fails for good; nullopt: it is one transaction, so nothing.
  virtual std::optional<std::string> standing(pg::Session& /*session*/, const Job& /*job*/) const {
    return std::nullopt;
  }

  /// The statements that undo it, as the job file gives them.
  virtual std::vector<std::string> down() const { return {}; }
  /// What has to be undone of what the ledger says of it, or why it cannot be.
  virtual void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                      RollbackSurvey& survey) const = 0;
  /// What undoing it does, in words, for the operator who is asked.
  virtual std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const;
  /// Undoes it, and tells the ledger so with it.
  virtual void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const;

  /// What `verify` asks of it.
  virtual void prove(const StepAt& /*at*/, std::vector<VerifyResult>& /*results*/) const {}
};

}  // namespace pgsluice::engine
