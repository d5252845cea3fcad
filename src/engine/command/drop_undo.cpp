#include "engine/command/drop_undo.hpp"

#include "base/units.hpp"
#include "ledger/control.hpp"
#include "ledger/images.hpp"
#include "ledger/jobs.hpp"
#include "ledger/runs.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kNoRun = "00000000-0000-0000-0000-000000000000";

void refuse_at_work(pg::Session& session, const std::string& name, const ledger::JobRecord& job) {
  ledger::end_gone_runs(session, job.job_id);
  if (job.state == JobState::kRollingBack)
    throw Error(ExitCode::kRefused, "job \"" + name + "\" is being rolled back: it needs its before-images",
                "finish that first: pgsluice rollback continues where it stopped");
  if (ledger::other_live_runs(session, job.job_id, kNoRun) > 0)
    throw Error(ExitCode::kRefused, "job \"" + name + "\" has a live run, which writes before-images",
                "wait until it ends, or stop it: pgsluice cancel " + name);
}

void drop(pg::Session& session, std::int64_t step_id) {
  pg::in_transaction(session, {}, [&] {
    ledger::drop_images(session, step_id);
    return true;
  });
}

}  // namespace

std::int64_t drop_undo(pg::Session& session, const std::string& name, const std::string& actor) {
  const auto job = *ledger::find_job(session, name);
  refuse_at_work(session, name, job);
  std::int64_t bytes = 0;
  for (const auto& images : ledger::images_of_jobs(session, {std::to_string(job.job_id)})) {
    drop(session, images.step_id);
    bytes += images.bytes;
  }
  ledger::log_command(session, job.job_id,
                      {actor, "drop-undo", base::format_bytes(static_cast<double>(bytes)), ""});
  return bytes;
}

std::vector<std::string> drop_expired_images(pg::Session& session) {
  std::vector<std::string> dropped;
  for (const auto& images : ledger::expired_images(session)) {
    try {
      const bool is_over = pg::in_transaction(session, {}, [&] {
        const bool is_still_so = ledger::is_expired(session, images);  // a rollback may have begun
        if (is_still_so) ledger::drop_images(session, images.step_id);
        return is_still_so;
      });
      if (is_over) dropped.push_back(images.step);
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;  // else somebody reads them, or they are another role's
    }
  }
  return dropped;
}

}  // namespace pgsluice::engine
