#include "lanes/batch/restore_step.hpp"

#include "ledger/images.hpp"
#include "pg/connection/transaction.hpp"
#include "table/copy/kept_rows.hpp"
#include "table/copy/kept_sql.hpp"
#include "table/images/images_sql.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

// Also the images' index is built under them; ended with the run, like any statement of it.
constexpr pg::TransactionLimits kIndexLimits{std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0},
                                             true};

/// What one kind of images needs: how several of a row become one, and the batches' statements.
struct Way {
  std::string join_sql;
  BatchSql sql;
};

void make_ready(pg::Session& session, const Images& images, std::int64_t step_id, Restore restore,
                const std::string& join_sql) {
  pg::in_transaction(session, kIndexLimits, [&] {
    ledger::lock_step(session, images.step_id);  // two runs that start together would both join the images
    if (restore != Restore::kNamedOnly) ledger::forget_faults(session, images.step_id, step_id);
    session.exec_cancellable(join_sql, {});
    session.exec_cancellable(index_images_sql(images), {});
    return true;
  });
}

PreparedBackfill along_images(pg::Session& session, const Images& images, std::int64_t step_id,
                              Restore restore, Way way) {
  make_ready(session, images, step_id, restore, way.join_sql);
  PreparedBackfill prepared;
  prepared.step_id = step_id;
  prepared.definition.table = {"pgsluice", images.name()};
  prepared.definition.walk = Walk::kKeyset;
  prepared.table = read_facts(session, prepared.definition.table).table;
  prepared.keyset.emplace(prepared.table.sql(), std::vector<pg::Column>{*prepared.table.find("place")});
  prepared.choice.walk = Walk::kKeyset;
  prepared.ground.cache_pages = pg::cache_pages(session);
  prepared.sql = std::move(way.sql);
  prepared.deadlock_timeout = std::chrono::milliseconds{pg::deadlock_timeout_ms(session)};
  prepared.table.rows_estimate = count_rows(session, prepared.table);
  return prepared;
}

}  // namespace

PreparedBackfill prepare_restore(pg::Session& session, const Images& images, std::int64_t step_id,
                                 Restore restore) {
  return along_images(session, images, step_id, restore,
                      {join_images_sql(images), restoring_sql(images, restore)});
}

Prepare restoring(Images images, Restore restore) {
  return [images = std::move(images), restore](pg::Session& session, std::int64_t step_id, int /*lanes*/) {
    return prepare_restore(session, images, step_id, restore);
  };
}

Prepare removing(Images images, Restore restore) {
  return [images = std::move(images), restore](pg::Session& session, std::int64_t step_id, int /*lanes*/) {
    const auto referrers = direct_referrers(session, images.table);
    return along_images(session, images, step_id, restore,
                        {newest_image_sql(images), removing_sql(images, referrers, restore)});
  };
}

}  // namespace pgsluice::engine
