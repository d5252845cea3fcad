#include "compare/case.hpp"

namespace pgsluice::bench {
namespace {

// Values of row i. A uuid that has nothing to do with the order on the heap, as gen_random_uuid() gives.
constexpr const char* kUuid = "md5(i::text)::uuid";
// 1,000 tenants whose rows came in turn, so that each one's are all over the heap.
constexpr const char* kTenant = "i % 1000, i";
// Some 1 kB in the row, 2 kB beside it, neither compressed: seven rows a page.
constexpr const char* kWideColumns = ", about text, avatar text";
constexpr const char* kWideStorage = "ALTER about SET STORAGE PLAIN, ALTER avatar SET STORAGE EXTERNAL";
constexpr const char* kWideValues = ", repeat(md5(i::text), 31), repeat(md5(i::text), 70)";

Case base() {
  Case c{"base", "full pages in key order, primary key and one more index, idle server"};
  c.arms = all_arms();
  c.quick_rounds = 3;
  return c;
}

Case variant(const std::string& name, const std::string& title) {
  return Case{name, title};
}

Case with_uuid(const std::string& name, const std::string& title, double heap_to_buffers) {
  auto c = variant(name, title);
  c.table.key_columns = "id uuid";
  c.table.key_values = kUuid;
  c.heap_to_buffers = heap_to_buffers;
  return c;
}

Case with_indexes(const std::string& name, const std::string& title, std::vector<std::string> indexes) {
  auto c = variant(name, title);
  c.table.indexes = std::move(indexes);
  return c;
}

Case wide() {
  auto c = variant("wide", "1 kB in the row and 2 kB in TOAST");
  c.table.rows /= 5;
  c.table.columns += kWideColumns;
  c.table.storage = kWideStorage;
  c.table.values += kWideValues;
  return c;
}

Case composite() {
  auto c = variant("composite", "key (tenant_id, id), 1,000 tenants in turn on the heap");
  c.table.key_columns = "tenant_id int, id bigint";
  c.table.key_values = kTenant;
  c.table.key = {"tenant_id", "id"};
  return c;
}

Case fillfactor_70() {
  auto c = variant("fillfactor-70", "fillfactor 70");
  c.table.fillfactor = 70;
  return c;
}

Case without_index() {
  auto c = with_indexes("indexes-0", "no index and no key", {});
  c.table.key = {};
  return c;
}

Case ten_million() {
  auto c = variant("rows-10m", "ten times the base case");
  c.table.rows *= 10;
  c.rounds = 3;
  c.is_quick = false;
  return c;
}

Case traffic() {
  auto c = variant("traffic", "under pgbench at a fixed rate");
  c.arms = traffic_arms();
  c.has_traffic = true;
  return c;
}

Case snapshot() {
  auto c =
      variant("snapshot", "a REPEATABLE READ transaction, opened just before the change and open to its end");
  c.snapshot_age = std::chrono::seconds{0};
  return c;
}

// From 3 s on pgsluice takes its age for old, so ten minutes are no different.
Case old_snapshot() {
  auto c = variant("snapshot-old",
                   "a REPEATABLE READ transaction, opened a while before the change and open to its end");
  c.snapshot_age = std::chrono::seconds{5};
  return c;
}

}  // namespace

std::vector<Case> all_cases() {
  return {base(),
          wide(),
          with_uuid("uuid", "random uuid key", 0),
          with_uuid("uuid-large", "random uuid key, heap four times as large as shared_buffers", 4),
          composite(),
          fillfactor_70(),
          without_index(),
          with_indexes("indexes-1", "primary key alone", {}),
          with_indexes("indexes-3", "primary key and two more indexes", {"email", "created_at"}),
          with_indexes("indexes-4", "primary key and three more indexes", {"email", "created_at", "name"}),
          with_indexes("changed-indexed", "the changed column is indexed", {"email", "onboarding_completed"}),
          snapshot(),
          old_snapshot(),
          traffic(),
          ten_million()};
}

}  // namespace pgsluice::bench
