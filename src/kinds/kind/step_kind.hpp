#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/kind/undoing.hpp"
#include "kinds/running/running_step.hpp"
#include "ledger/definitions.hpp"
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
  std::size_t place = 0;  // among job.steps
  /// Of the ledger, for each step; a state is empty if the ledger knows nothing of the step.
  const std::vector<ledger::StepRecord>& records;
  const Downs& downs;  // of all steps of the job
  Outlook& outlook;    // what earlier steps that have yet to run will have done to the schema

  const ledger::StepRecord& record() const { return records[place]; }
};

/// One answer of `verify`.
struct VerifyResult {
  std::string step;
  std::string expected;
  std::string actual;
  bool matches = false;
};

/// What a step of one kind is in every tense: one object a step, which the table of kinds makes. A call with
/// a session blocks, belongs to the thread of that session and throws Error or Failure; what is awaited
/// belongs to the io thread. A new kind answers these; kinds do not know each other.
class StepKind {
 public:
  StepKind() = default;
  virtual ~StepKind() = default;
  StepKind(const StepKind&) = delete;
  StepKind& operator=(const StepKind&) = delete;

  /// The part of it that must not change once the job exists, as lines of text fit for a diff.
  virtual std::vector<std::string> definition() const = 0;

  /// What its statements will do to the schema, for the steps behind it. Most do nothing to it.
  virtual void foresee(Outlook& /*outlook*/) const {}

  /// Whether it changes anything.
  virtual bool writes() const { return true; }

  /// Before the job's first write: refuses what would fail later, or lose something. `outlook`: what earlier
  /// steps will have done. False: there is nothing to look at, or not yet. Throws Error.
  virtual boost::asio::awaitable<bool> look_before_writing(RunningStep& step, const Outlook& outlook) const;
  /// The whole of it, from telling the ledger that it is in work to telling how it ended. Returns early when
  /// a stop is requested. Throws Error.
  virtual boost::asio::awaitable<void> run(RunningStep& step) const = 0;

  /// What stands in its way. Asked before it is done by the ledger: a run that died may have done it, or part
  /// of it. `reads_values`: also what only a read of whole tables tells.
  virtual void check(const StepAt& at, bool reads_values, Findings& findings) const = 0;
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

  /// What has been left behind of a step that is neither done nor rolled back, in words, by the ledger alone:
  /// then its definition must stay. Empty: nothing. A kind may hide this and the next by its own.
  static std::string left_behind(const ledger::KnownStep& known) {
    return known.has_range_done ? "it is done" : "";
  }
  /// The same as the server shows it. `given`: the step as the job file has it now; nullptr: it is gone.
  static std::string left_on_server(pg::Session& /*session*/, const ledger::KnownStep& /*known*/,
                                    const Step* /*given*/) {
    return "";
  }
};

/// A kind whose steps are defined by a `Definition`: a struct with a `kKind` and a `name`, which Step holds.
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
