#include "kinds/purge/detach.hpp"

#include "base/failpoint.hpp"
#include "kinds/index_build/run_alone.hpp"
#include "table/whole_partitions.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr const char* kLock = "SHARE UPDATE EXCLUSIVE, no lock_timeout";

std::string alter(const Detaching& partition, const char* how) {
  return "ALTER TABLE " + partition.parent_sql + " DETACH PARTITION " + partition.table_sql + " " + how;
}

}  // namespace

std::string detach_sql(const Detaching& partition) {
  return alter(partition, "CONCURRENTLY");
}

asio::awaitable<void> run_detach(RunningStep& step, Detaching partition) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto own = step.own.open("detach");
  const auto range = co_await lease_single(step, *own);
  if (!range) co_return;
  for (int attempt = 1; !step.stop.is_requested(); ++attempt) {
    std::function<PartitionState(pg::Session&)> look = [oid = partition.oid](pg::Session& s) {
      return partition_state(s, oid);
    };
    const auto state = co_await keep_trying<PartitionState>(*own, look, step.journal, step.stop);
    if (state == PartitionState::kDetached || state == PartitionState::kGone) break;
    AloneStatement statement{detach_sql(partition), kLock, attempt};
    if (state == PartitionState::kPending) statement.sql = alter(partition, "FINALIZE");
    co_await run_alone(step, *own, std::move(statement));
    base::failpoint("after_detach");
  }
  if (!step.stop.is_requested()) co_await mark_done(step, *own, range->token);
}

}  // namespace pgsluice::engine
