#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/kind/undoing.hpp"
#include "kinds/step_run/running_step.hpp"
#include "ledger/definitions.hpp"
#include "ledger/jobs.hpp"
#include "ledger/undo.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// A step's place in its job, during one of the calls below. What it refers to outlives the call.
struct StepAt {
  pg::Session& session;
  const Job& job;
  std::size_t place = 0;  // among job.steps
  /// From the ledger, for each step; a state is empty if the ledger does not know the step.
  const std::vector<ledger::StepRecord>& records;
  const Downs& downs;  // of all steps of the job
  Outlook& outlook;    // what pending earlier steps will have done to the schema
  /// Where `plan` may sample batches, on connections of its own; nullptr: it may not.
  const pg::ConnectionTarget* sampled_at = nullptr;

  const ledger::StepRecord& record() const { return records[place]; }
};

/// One answer of `verify`.
struct VerifyResult {
  std::string step;
  std::string expected;
  std::string actual;
  bool matches = false;
};

/// All that a step of one kind can do: one object per step, made by the table of kinds. A call that takes a
/// session blocks, belongs to that session's thread and throws Error or Failure; coroutines belong to the io
/// thread. A new kind implements these; kinds do not know each other.
class StepKind {
 public:
  StepKind() = default;
  virtual ~StepKind() = default;
  StepKind(const StepKind&) = delete;
  StepKind& operator=(const StepKind&) = delete;

  /// The part of the step that must not change once the job exists, as lines of text fit for a diff.
  virtual std::vector<std::string> definition() const = 0;

  /// Adds what its statements will do to the schema, for later steps. Most kinds change nothing there.
  virtual void foresee(Outlook& /*outlook*/) const {}

  /// Whether the step changes anything.
  virtual bool writes() const { return true; }
  /// Whether the next run of a job that is done begins the step anew.
  virtual bool is_repeated() const { return false; }

  /// Called before the job's first write: refuses what would fail later or lose something. `outlook`: what
  /// earlier steps will have done. False if there is nothing to look at, or not yet. Throws Error.
  virtual boost::asio::awaitable<bool> look_before_writing(RunningStep& step, const Outlook& outlook) const;
  /// Runs the whole step, from marking it as running in the ledger to recording how it ended. Returns early
  /// when a stop is requested. Throws Error.
  virtual boost::asio::awaitable<void> run(RunningStep& step) const = 0;

  /// Finds what would stop the step. Called while the ledger does not show it as done; but a run that died
  /// may have done it, or part of it. `reads_values`: also finds what only reading whole tables shows.
  virtual void check(const StepAt& at, bool reads_values, Findings& findings) const = 0;
  /// Checks that what the step has made is still as it was made, once it has begun; also when it is done.
  virtual void check_begun(const StepAt& /*at*/, Findings& /*findings*/) const {}

  /// Plans what it will send, unless it is done, and adds its effects to the outlook.
  virtual void plan(const StepAt& at, PlannedStep& planned) const = 0;
  /// How rollback undoes the step, for the plan.
  virtual Undo undo_planned(const StepAt& at) const = 0;

  /// What remains of the step when one of its statements fails for good; nullopt: it is one transaction, so
  /// nothing.
  virtual std::optional<std::string> standing(pg::Session& /*session*/, const Job& /*job*/) const {
    return std::nullopt;
  }

  /// The statements in the job file that undo it; none if, by the ledger's detail of the step, it has made
  /// nothing that they could undo.
  virtual std::vector<std::string> down(const std::string& /*detail*/) const { return {}; }
  /// What must be undone, going by the ledger, or why it cannot be.
  virtual void survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                      RollbackSurvey& survey) const = 0;
  /// What undoing it does, in words, for the operator to confirm.
  virtual std::vector<std::string> undoing_in_words(const RollbackAct& act, const std::string& detail) const;
  /// Undoes the whole step in a rollback, and records that in the ledger; returns early when a stop is
  /// requested. Most kinds have statements to send, and implement take_back().
  virtual boost::asio::awaitable<void> undo(RunningStep& step, const RollbackAct& act) const;
  /// The blocking form, on a session of its own.
  virtual void take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const;

  /// What `verify` checks about it.
  virtual void prove(const StepAt& /*at*/, std::vector<VerifyResult>& /*results*/) const {}
  /// Before `verify --repair` mends any step: throws Error(kRefused) if this one cannot be mended yet.
  virtual void require_mendable(const StepAt& /*at*/) const {}
  /// What `verify --repair` does: the same, and mends what it can. REQUIRES: require_mendable().
  virtual void mend(const StepAt& at, std::vector<VerifyResult>& results) const { prove(at, results); }

  /// What remains of a step that is neither done nor rolled back, in words, by the ledger alone: while
  /// anything does, its definition must not change. Empty: nothing. A kind may hide this and the next
  /// function with its own.
  static std::string left_behind(const ledger::KnownStep& known) {
    return known.has_range_done ? "it is done" : "";
  }
  /// The same according to the server. `given`: the step as in the present job file; nullptr if it was
  /// removed.
  static std::string left_on_server(pg::Session& /*session*/, const ledger::KnownStep& /*known*/,
                                    const Step* /*given*/) {
    return "";
  }
};

/// A kind whose steps are defined by a `Definition`: a struct with a `kKind` and a `name`, held by Step.
template <class Definition_>
class KindOf : public StepKind {
 public:
  using Definition = Definition_;

  /// REQUIRES: `step` outlives it.
  explicit KindOf(const Definition& step) : step_(step) {}

 protected:
  const Definition& step_;
};

}  // namespace pgsluice::engine
