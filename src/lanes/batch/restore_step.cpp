#include "lanes/batch/restore_step.hpp"

#include "ledger/images.hpp"
#include "pg/connection/transaction.hpp"
#include "table/images/images_sql.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

// Also the images' index is built under them; ended with the run, like any statement of it.
constexpr pg::TransactionLimits kIndexLimits{std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0},
                                             true};

void make_ready(pg::Session& session, const Images& images, std::int64_t step_id, Restore restore) {
  pg::in_transaction(session, kIndexLimits, [&] {
    ledger::lock_step(session, images.step_id);  // two runs that start together would both join the images
    if (restore != Restore::kNamedOnly) ledger::forget_faults(session, images.step_id, step_id);
    session.exec_cancellable(join_images_sql(images), {});
    session.exec_cancellable(index_images_sql(images), {});
    return true;
  });
}

}  // namespace

PreparedBackfill prepare_restore(pg::Session& session, const Images& images, std::int64_t step_id,
                                 Restore restore) {
  make_ready(session, images, step_id, restore);
  PreparedBackfill prepared;
  prepared.step_id = step_id;
  prepared.definition.table = {"pgsluice", images.name()};
  prepared.definition.walk = Walk::kKeyset;
  prepared.table = read_facts(session, prepared.definition.table).table;
  prepared.keyset.emplace(prepared.table.sql(), std::vector<pg::Column>{*prepared.table.find("place")});
  prepared.choice.walk = Walk::kKeyset;
  prepared.ground.cache_pages = pg::cache_pages(session);
  prepared.sql = restoring_sql(images, restore);
  prepared.deadlock_timeout = std::chrono::milliseconds{pg::deadlock_timeout_ms(session)};
  prepared.table.rows_estimate = count_rows(session, prepared.table);
  return prepared;
}

Prepare restoring(Images images, Restore restore) {
  return [images = std::move(images), restore](pg::Session& session, std::int64_t step_id, int /*lanes*/) {
    return prepare_restore(session, images, step_id, restore);
  };
}

}  // namespace pgsluice::engine
