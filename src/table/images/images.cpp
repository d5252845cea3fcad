#include "table/images/images.hpp"

#include <algorithm>

#include "ledger/images.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "table/images/image_fitness.hpp"
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

constexpr const char* kTableNow = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::oid
)sql";

constexpr const char* kColumnNumbers = R"sql(
SELECT a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod) ||
       CASE WHEN a.attcollation <> t.typcollation
            THEN ' COLLATE ' || (SELECT pg_catalog.quote_ident(c.collname) FROM pg_catalog.pg_collation c
                                 WHERE c.oid = a.attcollation)
            ELSE '' END
FROM unnest($2::text[]) WITH ORDINALITY AS wanted(name, n)
JOIN pg_catalog.pg_attribute a ON a.attname = wanted.name AND a.attrelid = $1::oid AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY wanted.n
)sql";

constexpr const char* kColumnNames = R"sql(
SELECT a.attname FROM unnest($2::int2[]) WITH ORDINALITY AS wanted(number, n)
JOIN pg_catalog.pg_attribute a ON a.attnum = wanted.number AND a.attrelid = $1::oid AND NOT a.attisdropped
ORDER BY wanted.n
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

std::vector<std::string> storage_sql(pg::Session& session, const Images& images) {
  const auto rows = session.exec(kStorages, {std::to_string(images.table.oid)});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (auto& alter : set_storage_sql(images, rows.text(i, 0), rows.text(i, 1)))
      out.push_back(std::move(alter));
  }
  return out;
}

/// By number, in this order; types with modifiers and collations.
ledger::ImagesShape shape_of(pg::Session& session, const Images& images) {
  ledger::ImagesShape shape;
  shape.table_oid = images.table.oid;
  auto names = names_of(images.key);
  const auto changed = names_of(images.changed);
  names.insert(names.end(), changed.begin(), changed.end());
  const auto rows = session.exec(kColumnNumbers, {std::to_string(images.table.oid), pg::to_array(names)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    (i < images.key.size() ? shape.key_columns : shape.set_columns).push_back(rows.text(i, 0));
    shape.types.push_back(rows.text(i, 1));
  }
  return shape;
}

/// nullopt: none are there; also where there is no ledger yet.
std::optional<ledger::ImagesShape> stored_shape(pg::Session& session, std::int64_t step_id) {
  if (step_id == 0 || !stored_images(session, step_id).is_there) return std::nullopt;
  return ledger::images_shape(session, step_id);
}

std::vector<pg::Column> columns_now(pg::Session& session, const pg::Table& table,
                                    const std::vector<std::string>& numbers) {
  const auto rows = session.exec(kColumnNames, {std::to_string(table.oid), pg::to_array(numbers)});
  std::vector<pg::Column> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) columns.push_back(column_of(table, rows.text(i, 0)));
  if (columns.size() == numbers.size()) return columns;
  throw Error(ExitCode::kRefused,
              "a column of table " + table.sql() + " that its before-images hold was dropped");
}

void refuse_other_types(const Images& images, const std::vector<std::string>& then,
                        const std::vector<std::string>& now) {
  for (std::size_t i = 0; i < then.size() && i < now.size(); ++i) {
    if (then[i] == now[i]) continue;
    const auto& column = i < images.key.size() ? images.key[i] : images.changed[i - images.key.size()];
    throw Error(ExitCode::kRefused,
                "column \"" + column.name + "\" of table " + images.table.sql() + " has another type (" +
                    now[i] + ") than its before-images in " + images.table_sql() + " (" + then[i] + ")",
                "give it that type again, or restore by hand from that table");
  }
}

void refuse_changed_key(const BackfillStep& step, const Images& images) {
  for (const auto& key : images.key) {
    const bool is_changed = std::any_of(images.changed.begin(), images.changed.end(),
                                        [&](const pg::Column& c) { return c.name == key.name; });
    if (is_changed)
      throw Error(ExitCode::kRefused,
                  "step \"" + step.name + "\" changes column \"" + key.name +
                      "\" of the key that its before-images need",
                  "name another unique key with `key`, or leave keep out");
  }
}

}  // namespace

std::vector<std::string> names_of(const std::vector<pg::Column>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

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
  if (const auto stored = stored_shape(session, step_id)) {
    auto known = images_to_restore(session, step_id);
    if (known.table.oid != table.oid || names_of(known.changed) != names_of(images.changed))
      throw Error(
          ExitCode::kRefused,
          "step \"" + step.name + "\" has before-images of other columns or another table of that name",
          "roll the job back first, or free them with drop-undo");
    images.key = std::move(known.key);
  }
  refuse_changed_key(step, images);
  refuse_unfit_images(session, images, step.name);
  return images;
}

Images images_to_restore(pg::Session& session, std::int64_t step_id) {
  const auto shape = *stored_shape(session, step_id);
  const auto rows = session.exec(kTableNow, {std::to_string(shape.table_oid)});
  if (rows.empty())
    throw Error(ExitCode::kRefused, "the table of the before-images in pgsluice.image_" +
                                        std::to_string(step_id) + " does not exist any more");
  Images images;
  images.step_id = step_id;
  images.table = pg::read_table(session, {rows.text(0, 0), rows.text(0, 1)});
  images.key = columns_now(session, images.table, shape.key_columns);
  images.changed = columns_now(session, images.table, shape.set_columns);
  images.server_returns_old = session.server_version() >= kVersionThatReturnsOld;
  refuse_other_types(images, shape.types, shape_of(session, images).types);
  return images;
}

void create_images(pg::Session& session, const Images& images, std::optional<std::chrono::hours> kept_for) {
  auto sql = create_images_sql(images);
  for (const auto& alter : storage_sql(session, images)) sql += ";\n" + alter;
  create_images_as(session, images, kept_for, sql);
}

void create_images_as(pg::Session& session, const Images& images, std::optional<std::chrono::hours> kept_for,
                      const std::string& sql) try {
  pg::in_transaction(session, {}, [&] {
    ledger::lock_step(session, images.step_id);
    if (stored_images(session, images.step_id).is_there) return true;
    session.exec(sql);
    ledger::note_images(session, images.step_id, kept_for, shape_of(session, images));
    return true;
  });
} catch (const pg::Failure& f) {
  if (f.sqlstate() != pg::kInsufficientPrivilege) throw;
  throw Error(ExitCode::kPrivileges, std::string("cannot create the table of the before-images: ") + f.what(),
              "GRANT CREATE ON SCHEMA pgsluice TO the role that runs the job");
}

StoredImages stored_images(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kStored, {"image_" + std::to_string(step_id)});
  if (rows.empty()) return {};
  return {true, rows.integer(0, 0)};
}

}  // namespace pgsluice::engine
