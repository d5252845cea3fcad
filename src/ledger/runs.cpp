#include "ledger/runs.hpp"

#include "ledger/range/lease.hpp"
#include "ledger/state_names.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

const std::string kLeaseInterval = "make_interval(secs => " + std::to_string(kLeaseSeconds) + ")";

const std::string kRegister = R"sql(
INSERT INTO pgsluice.run (run_id, job_id, version, host, boot, pid, process_started, lease_until)
VALUES ($1::uuid, $2::bigint, $3, $4, $5, $6::int, $7, now() + )sql" +
                              kLeaseInterval +
                              ") ON CONFLICT (run_id) DO NOTHING";  // sent again when its answer was lost

constexpr const char* kUnended = R"sql(
SELECT run_id, host, boot, pid, process_started FROM pgsluice.run WHERE job_id = $1::bigint AND ended_at IS NULL
)sql";

constexpr const char* kEnd = R"sql(
UPDATE pgsluice.run SET ended_at = now(), outcome = $2, exit_code = $3::int WHERE run_id = $1::uuid AND ended_at IS NULL
)sql";

constexpr const char* kJobRunning = R"sql(
UPDATE pgsluice.job j SET state = 'running', ended_at = NULL
WHERE j.job_id = $1::bigint AND j.state <> 'rolling back'
  AND EXISTS (SELECT FROM pgsluice.run u WHERE u.run_id = $2::uuid AND u.ended_at IS NULL)
)sql";

constexpr const char* kOthers = R"sql(
SELECT count(*) FROM pgsluice.run
WHERE job_id = $1::bigint AND run_id <> $2::uuid AND ended_at IS NULL AND lease_until >= now()
)sql";

// A late heartbeat revives the lease: ranges taken in the meantime carry the new owner's token, which fences
// us.
const std::string kHeartbeat = "UPDATE pgsluice.run SET heartbeat_at = now(), lease_until = now() + " +
                               kLeaseInterval + ", progress = $2 WHERE run_id = $1::uuid";

constexpr const char* kControl = R"sql(
SELECT j.control, j.control_reason, j.control_actor, j.tunables, j.tunables_version,
       extract(epoch FROM (now() AT TIME ZONE $3)::time),
       EXISTS (SELECT FROM pgsluice.run u WHERE u.run_id = $2::uuid AND u.ended_at IS NULL),
       EXISTS (SELECT FROM pgsluice.run u WHERE u.run_id = $2::uuid AND u.outcome = 'overtaken')
FROM pgsluice.job j WHERE j.job_id = $1::bigint
)sql";

}  // namespace

void register_run(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                  const std::string& version, const base::ProcessIdentity& process) {
  session.exec(kRegister, {run_id, std::to_string(job_id), version, process.host, process.boot,
                           std::to_string(process.pid), process.started});
}

int end_gone_runs(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kUnended, {std::to_string(job_id)});
  int ended = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const base::ProcessIdentity process{rows.text(i, 1), rows.text(i, 2),
                                        static_cast<int>(rows.integer(i, 3)), rows.text(i, 4)};
    if (!base::is_certainly_gone(process)) continue;
    end_run(session, rows.text(i, 0), "gone", 137);
    ++ended;
  }
  return ended;
}

void set_job_running(pg::Session& session, std::int64_t job_id, const std::string& run_id) {
  session.exec(kJobRunning, {std::to_string(job_id), run_id});
}

int other_live_runs(pg::Session& session, std::int64_t job_id, const std::string& run_id) {
  return static_cast<int>(session.exec(kOthers, {std::to_string(job_id), run_id}).integer(0, 0));
}

Orders heartbeat(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                 const std::string& progress, const std::string& timezone) {
  session.exec(kHeartbeat, {run_id, progress});
  return read_orders(session, job_id, run_id, timezone);
}

Orders read_orders(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                   const std::string& timezone) {
  const auto rows =
      session.exec(kControl, {std::to_string(job_id), run_id, timezone.empty() ? "UTC" : timezone});
  Orders orders;
  if (rows.empty()) {  // the job was deleted while we ran: nothing is left to work on
    orders.control = Control::kCancel;
    orders.reason = "the job is no longer in the ledger";
    orders.is_run_alive = false;
    return orders;
  }
  orders.control = read_state(kControls, rows.text(0, 0));
  orders.reason = rows.text(0, 1);
  orders.actor = rows.text(0, 2);
  orders.tunables = pg::from_array(rows.text(0, 3));
  orders.tunables_version = rows.integer(0, 4);
  orders.seconds_of_day = rows.real(0, 5);
  orders.is_run_alive = rows.boolean(0, 6);
  orders.is_overtaken = rows.boolean(0, 7);
  return orders;
}

void end_run(pg::Session& session, const std::string& run_id, const std::string& outcome, int exit_code) {
  session.exec(kEnd, {run_id, outcome, std::to_string(exit_code)});
}

}  // namespace pgsluice::ledger
