#include "bench/rolled/rolled_batch.hpp"

#include "table/explained_update.hpp"

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

BatchSample change_sampled(pg::Session& session, const RolledWork& work, const StripBatch& batch) {
  const auto seen = steps::explained_update(session, work.table_oid, batch.update_sql, batch.params);
  return {seen.changed, seen.hot, seen.wal_bytes};
}

void run_in_transaction(pg::Session& session, const RolledWork& work, RolledOutcome& out) {
  session.exec(pg::begin_sql(work.limits));
  const auto batch = work.strip->next(session, work.rows);
  out.is_full = batch.is_full;
  if (work.is_sampled) {
    out.sample = change_sampled(session, work, batch);
    out.changed = out.sample->rows;
  } else {
    const auto answer = session.exec_cancellable(batch.update_sql, batch.params);
    out.changed = batch.is_counted ? answer.integer(0, 0) : answer.affected();
  }
  session.exec("ROLLBACK");
}

}  // namespace

RolledOutcome run_rolled_batch(pg::Session& session, const RolledWork& work) {
  RolledOutcome out;
  const auto began = Clock::now();
  try {
    run_in_transaction(session, work, out);
  } catch (const pg::Failure& f) {
    out.changed = 0;
    out.disposition = f.disposition();
    out.sqlstate = f.sqlstate();
    out.message = f.what();
    if (!f.is_connection_lost()) pg::rollback(session);
  }
  out.duration = Clock::now() - began;
  return out;
}

}  // namespace pgsluice::bench
