#include "table/images/images.hpp"

#include <algorithm>

#include "ledger/images.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/images/images_sql.hpp"

namespace pgsluice::engine {
namespace {

// A column's own storage, so that an image costs what the row costs.
constexpr const char* kStorages = R"sql(
SELECT a.attname, CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstorage <> t.typstorage
)sql";

constexpr const char* kStored = R"sql(
SELECT pg_catalog.pg_total_relation_size(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'pgsluice' AND c.relname = $1 AND c.relkind = 'r'
)sql";

const pg::Column& column_of(const pg::Table& table, const std::string& name) {
  if (const auto* column = table.find(name)) return *column;
  throw Error(ExitCode::kRefused, "table \"" + table.name + "\" has no column \"" + name + "\"",
              "add it in a sql step before this one, or check its spelling in `set`");
}

std::vector<pg::Column> key_of(const pg::Table& table, const BackfillStep& step) try {
  return pg::choose_key(table, step.key);
} catch (const Error& e) {
  throw Error(ExitCode::kRefused, "step \"" + step.name + "\" cannot keep before-images: " + e.what(),
              "without a key a row cannot be told from another one that took its place; add a primary key or "
              "a unique index on NOT NULL columns, or leave keep out");
}

void refuse_rules(pg::Session& session, const pg::Table& table, const BackfillStep& step) {
  const auto swallowers = pg::read_swallowers(session, table.oid, changed_columns(step));
  if (swallowers.rules.empty()) return;
  throw Error(ExitCode::kRefused,
              "step \"" + step.name + "\" cannot keep before-images: rule " +
                  pg::Identifier(swallowers.rules.front().name).sql() + " rewrites UPDATEs of table " +
                  table.sql(),
              "drop the rule, or leave keep out");
}

void copy_storage(pg::Session& session, const Images& images) {
  const auto rows = session.exec(kStorages, {std::to_string(images.table.oid)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& alter : set_storage_sql(images, rows.text(i, 0), rows.text(i, 1))) session.exec(alter);
  }
}

}  // namespace

std::string Images::name() const {
  return step_id == 0 ? "image_of_the_step" : "image_" + std::to_string(step_id);
}

std::string Images::table_sql() const {
  return pg::Identifier("pgsluice", name()).sql();
}

Images images_of(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                 std::int64_t step_id) {
  refuse_rules(session, table, step);
  Images images;
  images.step_id = step_id;
  images.table = table;
  images.key = key_of(table, step);
  for (const auto& name : changed_columns(step)) images.changed.push_back(column_of(table, name));
  images.server_returns_old = session.server_version() >= kVersionThatReturnsOld;
  for (const auto& key : images.key) {
    const bool is_changed = std::any_of(images.changed.begin(), images.changed.end(),
                                        [&](const pg::Column& c) { return c.name == key.name; });
    if (is_changed)
      throw Error(ExitCode::kRefused,
                  "step \"" + step.name + "\" changes column \"" + key.name +
                      "\" of the key that its before-images need",
                  "name another unique key with `key`, or leave keep out");
  }
  return images;
}

void create_images(pg::Session& session, const Images& images,
                   std::optional<std::chrono::hours> kept_for) try {
  pg::in_transaction(session, {}, [&] {
    ledger::lock_step(session, images.step_id);
    ledger::note_images(session, images.step_id, kept_for);
    if (stored_images(session, images.step_id).is_there) return true;
    session.exec(create_images_sql(images));
    copy_storage(session, images);
    return true;
  });
} catch (const pg::Failure& f) {
  if (f.sqlstate() != pg::kInsufficientPrivilege) throw;
  throw Error(ExitCode::kPrivileges, std::string("cannot create the table of the before-images: ") + f.what(),
              "GRANT CREATE ON SCHEMA pgsluice TO the role that runs the job");
}

void drop_images(pg::Session& session, std::int64_t step_id) {
  session.exec(drop_images_sql(step_id));
  ledger::forget_images(session, step_id);
}

StoredImages stored_images(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kStored, {"image_" + std::to_string(step_id)});
  if (rows.empty()) return {};
  return {true, rows.integer(0, 0)};
}

}  // namespace pgsluice::engine
