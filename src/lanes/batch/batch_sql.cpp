#include "lanes/batch/batch_sql.hpp"

#include "table/block_update.hpp"
#include "table/copy/kept_sql.hpp"
#include "table/images/images_sql.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

// Joined by hash or merge, a batch would read all of the table.
constexpr const char* kPlanAlongKeys = "; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// The number of the parameter that repeats the heap's oid.
int oid_parameter(const walk::Fragment& predicate) {
  return static_cast<int>(predicate.params.size()) + 1;
}

BatchSql plain(const pg::Table& table, const BackfillStep& step) {
  BatchSql sql;
  sql.update = [table, step](const std::string& predicate) {
    return steps::update_sql(table, step, predicate);
  };
  sql.block_update = [table, step](const pg::HeapFacts& heap, const walk::Fragment& predicate,
                                   bool is_sampled) {
    if (is_sampled) return steps::sampled_block_update_sql(table, step, heap, predicate.sql);
    return steps::block_update_sql(table, step, heap, predicate.sql, oid_parameter(predicate));
  };
  return sql;
}

BatchSql keeping(const Images& images, const BackfillStep& step, Guard guard) {
  BatchSql sql;
  sql.is_answering = true;
  sql.old_rows_node = old_rows_node(images);
  sql.update = [images, step, guard](const std::string& predicate) {
    return keeping_update_sql(images, step, nullptr, predicate, "count(*), " + missed_sql(images), guard);
  };
  sql.block_update = [images, step, guard](const pg::HeapFacts& heap, const walk::Fragment& predicate,
                                           bool is_sampled) {
    if (is_sampled)
      return steps::kExplainWal + keeping_update_sql(images, step, &heap, predicate.sql, "", guard) +
             "\nWHERE still";
    const auto answer =
        steps::block_answer(images.table, heap, oid_parameter(predicate)) + ", " + missed_sql(images);
    return keeping_update_sql(images, step, &heap, predicate.sql, answer, guard);
  };
  return sql;
}

}  // namespace

BatchSql batch_sql(const pg::Table& table, const BackfillStep& step, const pg::Swallowers& swallowers,
                   const std::optional<Images>& images) {
  // A row that a trigger leaves as it is cannot be told from one that others changed.
  const auto guard = swallowers.is_any() ? Guard::kLock : Guard::kVersion;
  auto sql = images ? keeping(*images, step, guard) : plain(table, step);
  if (images && !images->server_returns_old && guard == Guard::kVersion)
    sql.locking = std::make_shared<BatchSql>(keeping(*images, step, Guard::kLock));
  if (swallowers.is_any())
    sql.selected = [table, step](const pg::HeapFacts* heap, const std::string& predicate) {
      return heap ? steps::block_selected_sql(table, step, *heap, predicate)
                  : steps::selected_sql(table, step, predicate);
    };
  return sql;
}

BatchSql purging_sql(const Removal& removal, const pg::Swallowers& swallowers) {
  BatchSql sql;
  sql.is_answering = removal.archive.has_value();
  sql.update = [removal](const std::string& predicate) { return delete_sql(removal, predicate); };
  sql.is_sampling = false;  // only an interleaved walk learns from it
  sql.block_update = [removal](const pg::HeapFacts& heap, const walk::Fragment& predicate,
                               bool /*is_sampled*/) {
    return block_delete_sql(removal, heap, predicate.sql, oid_parameter(predicate));
  };
  if (swallowers.is_any())
    sql.selected = [removal](const pg::HeapFacts* heap, const std::string& predicate) {
      return selected_for_delete_sql(removal, heap, predicate);
    };
  if (removal.with.empty()) return sql;
  sql.before = [removal](const pg::HeapFacts* heap, const std::string& predicate) {
    return deletes_before(removal, heap, predicate);
  };
  sql.settings = kPlanAlongKeys;
  sql.before_count = static_cast<int>(deletes_before(removal, nullptr, "true").size());
  return sql;
}

BatchSql restoring_sql(const Images& images, Restore restore) {
  BatchSql sql;
  sql.is_answering = true;
  sql.settings = kPlanAlongKeys;
  sql.is_naming_always = !images.table.update_triggers.empty();
  const auto only = restore == Restore::kNamedOnly ? is_named_sql(images) : std::string();
  sql.update = [images, restore, only](const std::string& predicate) {
    if (restore == Restore::kNamedOnly) return overwrite_named_sql(images, predicate + only);
    return restore_sql(images, predicate, restore == Restore::kForced);
  };
  sql.naming = [images, only](const std::string& predicate, const SetAside* fault) {
    if (fault) return quarantine_images_sql(images, predicate + only, fault->sqlstate, fault->message);
    return not_restored_sql(images, predicate + only);
  };
  return sql;
}

BatchSql removing_sql(const Images& images, const std::vector<Referrer>& referrers, Restore restore) {
  BatchSql sql;
  sql.is_answering = true;
  sql.settings = std::string(kPlanAlongKeys) + kept_settings();
  const auto only = restore == Restore::kNamedOnly ? is_named_sql(images) : std::string();
  sql.update = [images, referrers, restore, only](const std::string& predicate) {
    if (restore == Restore::kNamedOnly) return remove_named_sql(images, referrers, predicate + only);
    return remove_kept_sql(images, referrers, predicate, restore == Restore::kForced);
  };
  sql.naming = [images, referrers, only](const std::string& predicate, const SetAside* fault) {
    if (fault) return quarantine_images_sql(images, predicate + only, fault->sqlstate, fault->message);
    return not_removed_sql(images, referrers, predicate + only);
  };
  if (referrers.empty()) return sql;
  sql.before = [images, only](const pg::HeapFacts* /*heap*/, const std::string& predicate) {
    return std::vector<std::string>{hold_kept_sql(images, predicate + only)};
  };
  sql.before_count = 1;
  return sql;
}

}  // namespace pgsluice::engine
