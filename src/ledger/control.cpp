#include "ledger/control.hpp"

#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kControl = R"sql(
UPDATE pgsluice.job
SET control = $2, control_actor = $3, control_reason = $4, control_at = now(),
    state = CASE WHEN $2 = 'run' AND state = 'cancelled' THEN 'ready' ELSE state END
WHERE name = $1 RETURNING job_id
)sql";

// The newest word on a key replaces the older one.
constexpr const char* kTunable = R"sql(
UPDATE pgsluice.job
SET tunables = ARRAY(SELECT t FROM unnest(tunables) t WHERE t NOT LIKE $2 || '=%') || ($2 || '=' || $3),
    tunables_version = tunables_version + 1
WHERE name = $1 RETURNING job_id
)sql";

constexpr const char* kResolve = R"sql(
UPDATE pgsluice.step s SET state = $3, error = '', ended_at = CASE WHEN $3 = 'done' THEN now() END
FROM pgsluice.job j WHERE j.job_id = s.job_id AND j.name = $1 AND s.name = $2 RETURNING j.job_id
)sql";

constexpr const char* kResolveRanges = R"sql(
UPDATE pgsluice.range r SET is_done = $3 = 'done', epoch = r.epoch + 1
FROM pgsluice.step s JOIN pgsluice.job j ON j.job_id = s.job_id
WHERE r.step_id = s.step_id AND j.name = $1 AND s.name = $2
)sql";

constexpr const char* kLogCommand = R"sql(
INSERT INTO pgsluice.event (job_id, at, type, fields)
VALUES ($1::bigint, now(), 'command', jsonb_build_object('actor', $2::text, 'verb', $3::text, 'arguments', $4::text, 'reason', $5::text))
)sql";

std::string known_job(const pg::Rows& rows, const std::string& job) {
  if (rows.empty()) {
    throw Error(ExitCode::kNoSuchJob, "no job \"" + job + "\" in this database's ledger", "pgsluice status lists the jobs");
  }
  return rows.text(0, 0);
}

}  // namespace

void set_control(pg::Session& session, const std::string& job, const std::string& control, const std::string& actor,
                 const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto job_id = known_job(session.exec(kControl, {job, control, actor, reason}), job);
    const std::string verb = control == "run" ? "resume" : control;
    return session.exec(kLogCommand, {job_id, actor, verb, "", reason});
  });
}

void set_tunable(pg::Session& session, const std::string& job, const std::string& key, const std::string& value,
                 const std::string& actor, const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto job_id = known_job(session.exec(kTunable, {job, key, value}), job);
    return session.exec(kLogCommand, {job_id, actor, "set", key + "=" + value, reason});
  });
}

void resolve_step(pg::Session& session, const std::string& job, const std::string& step, const std::string& state,
                  const std::string& actor, const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto rows = session.exec(kResolve, {job, step, state});
    if (rows.empty()) {
      throw Error(ExitCode::kNoSuchJob, "no step \"" + step + "\" of a job \"" + job + "\" in this database's ledger",
                  "pgsluice status " + job + " lists its steps");
    }
    session.exec(kResolveRanges, {job, step, state});
    const std::string arguments = step + (state == "done" ? " --applied" : " --rolled-back");
    return session.exec(kLogCommand, {rows.text(0, 0), actor, "resolve", arguments, reason});
  });
}

}  // namespace pgsluice::ledger
