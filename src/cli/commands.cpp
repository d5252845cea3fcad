#include "cli/commands.hpp"

namespace pgsluice::cli {

ExitCode perform(const Arguments& arguments) {
  switch (arguments.verb) {
    case Verb::kPlan:
      return plan_job(arguments);
    case Verb::kCheck:
      return check_job(arguments);
    case Verb::kRun:
      return run_jobs(arguments);
    case Verb::kBackfill:
      return run_backfill(arguments);
    case Verb::kBench:
      return bench_job(arguments);
    case Verb::kVerify:
      return verify_job(arguments);
    case Verb::kRollback:
      return rollback_job(arguments);
    case Verb::kDropUndo:
      return drop_undo(arguments);
    case Verb::kCutover:
      return cut_over(arguments);
    case Verb::kContract:
      return contract(arguments);
    case Verb::kStatus:
      return show_status(arguments);
    case Verb::kWatch:
      return watch_job(arguments);
    case Verb::kHistory:
      return show_history(arguments);
    case Verb::kFailures:
      return show_failures(arguments);
    case Verb::kPause:
    case Verb::kResume:
    case Verb::kCancel:
      return control_job(arguments);
    case Verb::kSet:
      return set_tunables(arguments);
    case Verb::kResolve:
      return resolve_step(arguments);
  }
  throw Error(ExitCode::kInternal, "this verb is not implemented");
}

}  // namespace pgsluice::cli
