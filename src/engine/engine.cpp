#include "pgsluice/engine.hpp"

#include <pwd.h>
#include <unistd.h>

#include "base/process_identity.hpp"
#include "engine/command/drop_undo.hpp"
#include "engine/command/notice.hpp"
#include "engine/command/verification.hpp"
#include "engine/folder/adoption.hpp"
#include "engine/folder/folder_look.hpp"
#include "engine/folder/folder_rollback.hpp"
#include "engine/preflight/preflight.hpp"
#include "engine/run/run.hpp"
#include "kinds/copy/follow/ask_switch.hpp"
#include "kinds/planner.hpp"
#include "kinds/retype/cutover/cutover.hpp"
#include "ledger/control.hpp"
#include "ledger/event_log.hpp"
#include "ledger/overview.hpp"
#include "ledger/schema.hpp"
#include "pgsluice/job_file.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice {
namespace {

constexpr const char* kApplicationName = "pgsluice command";

/// Opens a session for one command; a Failure becomes an Error.
template <class Work>
auto with_session(const std::string& dsn, Work work) {
  try {
    pg::Session session(pg::ConnectionTarget(dsn), kApplicationName);
    return work(session);
  } catch (const pg::Failure& f) {
    throw engine::error_of(f, engine::Asker::kOperator);
  }
}

void require_ledger(pg::Session& session, const std::string& name) {
  if (ledger::is_installed(session)) return;
  throw Error(ExitCode::kNoSuchJob, "no job \"" + name + "\": this database has no ledger",
              "run a job first, or check --dsn");
}

ledger::JobRecord require_job(pg::Session& session, const std::string& name) {
  require_ledger(session, name);
  auto job = ledger::find_job(session, name);
  if (!job) {
    throw Error(ExitCode::kNoSuchJob, "no job \"" + name + "\" in this database's ledger",
                "pgsluice status lists the jobs");
  }
  return *job;
}

/// Checks the new value together with those of earlier `set`s: rows_min may follow rows_max.
void check_tunable(pg::Session& session, const std::string& name, const std::string& key,
                   const std::string& value) {
  Tunables tunables;
  for (const auto& overview : ledger::read_overview(session, name)) {
    for (const auto& tunable : overview.tunables) {
      const auto equals = tunable.find('=');
      apply_tunable(tunables, tunable.substr(0, equals), tunable.substr(equals + 1));
    }
  }
  if (const auto mistake = apply_tunable(tunables, key, value); !mistake.empty()) {
    throw Error(ExitCode::kUsage, mistake,
                "tunables are pool.lanes, batch.*, throttle.* and max_quarantined");
  }
}

/// Who gave the command, for the audit: the user and host of this process.
std::string actor() {
  const passwd* user = getpwuid(geteuid());
  return std::string(user ? user->pw_name : "?") + "@" + base::this_process().host;
}

/// Passes the events of an operator's act to the sink as they happen.
std::function<void(EventBody)> teller(const std::string& job, EventSink& sink) {
  return [job, &sink](EventBody body) {
    Event event;
    event.job = job;
    event.body = std::move(body);
    sink.publish(std::move(event));
  };
}

}  // namespace

Engine::Engine(std::string dsn) : dsn_(std::move(dsn)) {}

std::string Engine::target() const {
  return pg::ConnectionTarget(dsn_).display();
}

Plan Engine::plan(const Job& job, const PlanOptions& options) {
  return with_session(dsn_, [&](pg::Session& s) {
    const pg::ConnectionTarget target(dsn_);
    return engine::make_plan(s, job, target.display(), options.is_sampled ? &target : nullptr);
  });
}

std::vector<Finding> Engine::check(const Job& job, bool reads_values) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::preflight(s, job, true, reads_values); });
}

ExitCode Engine::run(const Job& job, const RunOptions& options, EventSink& sink) {
  return engine::Run(pg::ConnectionTarget(dsn_), job, options, sink).execute();
}

ExitCode Engine::verify(const Job& job, EventSink& sink, const VerifyOptions& options) {
  return with_session(dsn_, [&](pg::Session& s) {
    ExitCode code = ExitCode::kDone;
    for (const auto& result : engine::verify_job(s, job, options)) {
      Event event;
      event.job = job.name;
      event.body = event::Verify{result.step, result.expected, result.actual, result.matches};
      sink.publish(std::move(event));
      if (!result.matches) code = ExitCode::kMismatch;
    }
    return code;
  });
}

ExitCode Engine::rollback(const Job& job, EventSink& sink, const RollbackOptions& options) {
  return engine::Run(pg::ConnectionTarget(dsn_), job, options, sink).execute();
}

std::int64_t Engine::drop_undo(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) {
    require_job(s, name);
    ledger::install(s);
    return engine::drop_undo(s, name, actor());
  });
}

ExitCode Engine::cutover(const std::string& name, Milliseconds kill_blockers_after, EventSink& sink) {
  return with_session(dsn_, [&](pg::Session& s) {
    engine::cut_over_job(s, name, kill_blockers_after, teller(name, sink));
    return ExitCode::kDone;
  });
}

ExitCode Engine::contract(const std::string& name, EventSink& sink, const ContractOptions& options) {
  return with_session(dsn_, [&](pg::Session& s) {
    engine::contract_job(s, name, options, teller(name, sink));
    return ExitCode::kDone;
  });
}

ExitCode Engine::switch_over(const std::string& name, Milliseconds pause, EventSink& sink) {
  return with_session(dsn_, [&](pg::Session& s) {
    require_job(s, name);
    return engine::ask_switch(s, name, {pause, actor()}, teller(name, sink));
  });
}

std::vector<std::string> Engine::switch_notice(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::switch_notice(s, name); });
}

std::vector<std::string> Engine::cutover_notice(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::cutover_notice(s, name); });
}

std::vector<std::string> Engine::contract_notice(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::contract_notice(s, name); });
}

std::vector<std::string> Engine::rollback_notice(const Job& job) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::rollback_notice(s, job); });
}

std::vector<JobOverview> Engine::status(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) {
    if (name.empty() && !ledger::is_installed(s)) return std::vector<JobOverview>{};
    if (!name.empty()) require_ledger(s, name);
    auto jobs = ledger::read_overview(s, name);
    if (!name.empty() && jobs.empty()) {
      throw Error(ExitCode::kNoSuchJob, "no job \"" + name + "\" in this database's ledger",
                  "pgsluice status lists the jobs");
    }
    return jobs;
  });
}

std::vector<LogEntry> Engine::history(const std::string& name, int limit) {
  return with_session(
      dsn_, [&](pg::Session& s) { return ledger::read_events(s, require_job(s, name).job_id, limit); });
}

std::vector<QuarantinedRow> Engine::failures(const std::string& name) {
  return with_session(dsn_, [&](pg::Session& s) {
    require_job(s, name);
    return ledger::read_quarantine(s, name);
  });
}

void Engine::control(const std::string& name, Control control, const std::string& reason) {
  with_session(dsn_, [&](pg::Session& s) {
    require_ledger(s, name);
    ledger::set_control(s, name, control, actor(), reason);
    return true;
  });
}

void Engine::set(const std::string& name, const std::string& key, const std::string& value,
                 const std::string& reason) {
  with_session(dsn_, [&](pg::Session& s) {
    require_job(s, name);
    check_tunable(s, name, key, value);
    ledger::set_tunable(s, name, key, value, actor(), reason);
    return true;
  });
}

void Engine::resolve(const std::string& name, const std::string& step, bool is_applied,
                     const std::string& reason) {
  with_session(dsn_, [&](pg::Session& s) {
    require_ledger(s, name);
    if (step.empty()) {
      ledger::resolve_job(s, name, is_applied ? StepState::kDone : StepState::kRolledBack, actor(), reason);
    } else {
      ledger::resolve_step(s, name, step, is_applied ? StepState::kDone : StepState::kWaiting, actor(),
                           reason);
    }
    return true;
  });
}

FolderOverview Engine::folder_status(const std::vector<FiledJob>& jobs) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::look_at_folder(s, jobs); });
}

std::vector<FiledJob> Engine::folder_rollback(const std::vector<FiledJob>& jobs, const std::string& to) {
  return with_session(dsn_, [&](pg::Session& s) { return engine::jobs_to_roll_back(s, jobs, to); });
}

std::vector<std::string> Engine::adopt(const std::vector<FiledJob>& jobs, const std::string& up_to,
                                       const std::string& reason) {
  return with_session(dsn_, [&](pg::Session& s) {
    ledger::install(s);
    return engine::adopt_jobs(s, jobs, up_to, {actor(), reason});
  });
}

}  // namespace pgsluice
