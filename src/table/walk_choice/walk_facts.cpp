#include <algorithm>

#include "job/sql/expression.hpp"
#include "pg/activity/activity.hpp"
#include "pg/activity/health.hpp"
#include "pg/catalog/storage.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/walk_choice/walk_choice.hpp"

namespace pgsluice::engine {
namespace {

// A transaction older than this will probably outlast the first windows.
constexpr std::int64_t kOldSnapshotSeconds = 3;

// Enough for a hundred pages, even from a slow disk.
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{10'000}, true};

// Of the table and of every level of partitions below it; an expression in the key counts as all columns.
constexpr const char* kPartitionColumns = R"sql(
SELECT DISTINCT coalesce(a.attname, '')
FROM pg_catalog.pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k(attnum)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE p.partrelid = $1::oid
   OR p.partrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) t)
)sql";

bool sets_what_where_asks(const BackfillStep& step) {
  if (step.where.empty()) return false;
  const auto checked = job::check_expression(step.where);
  const auto* where = std::get_if<job::Expression>(&checked);
  if (!where) return false;
  const auto changed = changed_columns(step);
  return std::any_of(where->columns.begin(), where->columns.end(), [&](const auto& parts) {
    return std::find(changed.begin(), changed.end(), parts.back()) != changed.end();
  });
}

bool moves_between_partitions(pg::Session& session, const BackfillStep& step, const pg::Table& table) {
  if (table.kind != "p") return false;
  const auto changed = changed_columns(step);
  const auto rows = session.exec(kPartitionColumns, {std::to_string(table.oid)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto name = rows.text(i, 0);
    if (name.empty() || std::find(changed.begin(), changed.end(), name) != changed.end()) return true;
  }
  return false;
}

std::vector<std::string> silent_replicas(pg::Session& session) {
  std::vector<std::string> names;
  for (const auto& sender : pg::read_replication(session).walsenders) {
    if (sender.is_logical || sender.state == "backup" || !sender.replay || sender.holds_horizon) continue;
    names.push_back(sender.application_name);
  }
  return names;
}

/// The largest: partitions of one table look alike, or the largest is the one that matters. REQUIRES: there
/// is one.
const pg::HeapFacts& largest(const std::vector<pg::HeapFacts>& heaps) {
  return *std::max_element(heaps.begin(), heaps.end(),
                           [](const pg::HeapFacts& a, const pg::HeapFacts& b) { return a.pages < b.pages; });
}

/// Empty if the pages cannot be read in time: then the average from the last ANALYZE has to do.
pg::PageSample page_sample(pg::Session& session, const pg::HeapFacts& heap) {
  try {
    return pg::in_transaction(session, kSampleLimits, [&] { return pg::sample_pages(session, heap); });
  } catch (const pg::Failure& f) {
    const bool is_locked =
        f.sqlstate() ==
        pg::kLockNotAvailable;  // the later statements that wait for the table report it and try again
    if (f.is_connection_lost() || is_locked) throw;
    return {};
  }
}

WalkFacts read_walk_facts(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                          pg::RowEvent event) {
  WalkFacts facts;
  facts.is_delete = event == pg::RowEvent::kDelete;
  facts.sets_what_where_asks = sets_what_where_asks(step);
  facts.server_version = session.server_version();
  facts.has_children = table.has_children;
  facts.moves_between_partitions = moves_between_partitions(session, step, table);
  facts.heaps = pg::read_heaps(session, table.oid);
  facts.indexes_changed = indexes_changed(pg::read_storage(session, table.oid), step);
  facts.rewriting_triggers = pg::rewriting_triggers(session, table.oid, changed_columns(step));
  facts.silent_replicas = silent_replicas(session);
  const auto open = pg::long_transactions(session, kOldSnapshotSeconds);
  for (const auto& transaction : open)
    facts.oldest_snapshot_s = std::max(facts.oldest_snapshot_s, transaction.age_s);
  return facts;
}

bool is_kept_in_heaps(const pg::Table& table) {
  return table.kind == "r" || table.kind == "p";
}

/// Rows that are deleted by age are often found fastest by an index on their time.
bool is_boundary_wanted(const BackfillStep& step, const WalkFacts& facts, const pg::Table& table) {
  return facts.is_delete && step.key.empty() && step.walk != Walk::kBlocks && table.kind == "r" &&
         !table.has_children && !table.row_security_applies;
}

void go_along_boundary(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                       WalkedTable& walked) {
  walked.boundary = read_boundary(session, step, table, walked.keyset->key());
  if (!walked.boundary) return;
  walked.keyset.emplace(table.sql(), walked.boundary->key, walked.boundary->lead);
  walked.choice = {Walk::kKeyset, "`where` bounds \"" + walked.boundary->key.front().name +
                                      "\", and index \"" + walked.boundary->index +
                                      "\" leads to the rows that match and to no others"};
}

}  // namespace

WalkedTable walked_table(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                         pg::RowEvent event) {
  WalkedTable walked;
  auto facts = read_walk_facts(session, step, table, event);
  walked.swallowers = facts.is_delete ? pg::read_swallowers(session, table.oid, event)
                                      : pg::read_swallowers(session, table.oid, changed_columns(step));
  for (const auto& rule : walked.swallowers.rules) facts.write_rules.push_back(rule.name);
  try {
    auto key = pg::choose_key(table, step.key);
    facts.key_correlation = pg::correlation(session, table.oid, key.front().name);
    walked.keyset.emplace(table.sql(), std::move(key));
  } catch (const Error& e) {
    if (!step.key.empty() || step.walk == Walk::kKeyset || !is_kept_in_heaps(table)) throw;
    facts.key_problem = e.what();
  }
  if (is_page_sample_wanted(step, facts) && !table.row_security_applies) {
    walked.sampled = largest(facts.heaps);
    facts.page = page_sample(session, *walked.sampled);
  }
  walked.choice = choose_walk(step, facts);
  if (walked.choice.walk == Walk::kKeyset && !walked.keyset)
    throw Error(
        ExitCode::kRefused, facts.key_problem + "; " + walked.choice.reason,
        "add a primary key or a unique index on NOT NULL columns: CREATE UNIQUE INDEX CONCURRENTLY …");
  if (walked.keyset && is_boundary_wanted(step, facts, table))
    go_along_boundary(session, step, table, walked);
  walked.choice.is_horizon_held = facts.oldest_snapshot_s > 0;
  walked.rows_per_page = facts.rows_per_page();
  walked.heaps = std::move(facts.heaps);
  return walked;
}

}  // namespace pgsluice::engine
