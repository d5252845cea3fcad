#include "cli/commands.hpp"

#include "cli/job_source.hpp"

namespace pgsluice::cli {

namespace {

ExitCode perform_on_folder(const Arguments& arguments) {
  switch (arguments.verb) {
    case Verb::kPlan:
      return plan_folder(arguments);
    case Verb::kCheck:
      return check_folder(arguments);
    case Verb::kVerify:
      return verify_folder(arguments);
    case Verb::kRollback:
      return rollback_folder(arguments);
    case Verb::kStatus:
      return show_folder_status(arguments);
    default:
      break;
  }
  throw Error(ExitCode::kUsage, "this verb takes no folder", "give one job file");
}

bool takes_folder(const Arguments& arguments) {
  switch (arguments.verb) {
    case Verb::kPlan:
    case Verb::kCheck:
    case Verb::kVerify:
    case Verb::kRollback:
      return is_folder(arguments.job);
    case Verb::kStatus:
      return is_folder(arguments.name);
    default:
      return false;
  }
}

}  // namespace

ExitCode perform(const Arguments& arguments) {
  if (takes_folder(arguments)) return perform_on_folder(arguments);
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
    case Verb::kSwitch:
      return switch_over(arguments);
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
    case Verb::kAdopt:
      return adopt_folder(arguments);
  }
  throw Error(ExitCode::kInternal, "this verb is not implemented");
}

}  // namespace pgsluice::cli
