#include "table/images/images_sql.hpp"

#include <functional>

#include "ledger/range/checkpoint.hpp"
#include "pg/identifier.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

using Names = std::vector<std::string>;

// Eight passes through windows of 65,536 images: number = window, then 13 bits, then 3 bits; in a place the
// last two are exchanged.
constexpr const char* kPlaceOfNumber = "(number & -65536) | ((number & 7) << 13) | ((number & 65535) >> 3)";
constexpr const char* kNumberOfPlace = "(place & -65536) | ((place & 8191) << 3) | ((place >> 13) & 7)";

// Bare names in `set` are those of the table: none that begins like this, see is_name_of_images().
constexpr const char* kOurs = "pgsluice ";
constexpr const char* kOldRows = "\"pgsluice old\"";
// The transaction that wrote the version of a row. The server checks the condition again on the newer version
// of a row that it had to wait for, which is another transaction's.
constexpr const char* kVersionRead = "xmin AS \"pgsluice x\", ";
constexpr const char* kSameVersion = ".xmin = \"pgsluice x\"";

constexpr const char* kIsGone = "the row is gone: deleted, or its key changed";
constexpr const char* kIsGoneOrDetached =
    "the row is gone: deleted, its key changed, or its partition detached, and then it holds what the job "
    "wrote";
constexpr const char* kIsLeft = "it holds what the job wrote: a trigger kept the old value out";
constexpr const char* kTriggeredAction = "09000";  // triggered_action_exception
constexpr const char* kIsChanged = "its value was changed since, and is kept";

std::string listed(std::size_t count, const std::function<std::string(std::size_t)>& item,
                   const char* separator = ", ") {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i ? separator : "") + item(i);
  return out;
}

std::string numbered(const char* letter, std::size_t i) {
  return letter + std::to_string(i + 1);
}

/// k1, k2, …, each with `prefix` before it.
std::string columns(const char* letter, std::size_t count, const std::string& prefix = "") {
  return listed(count, [&](std::size_t i) { return prefix + numbered(letter, i); });
}

/// All columns of an image but its place.
std::string image_columns(const Images& images) {
  return columns("k", images.key.size()) + ", " + columns("o", images.changed.size()) + ", " +
         columns("n", images.changed.size());
}

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// Identity of values, also for types without an equality (json, point), and of NULLs; 1.0 is not 1.00.
std::string is_identical(const std::string& left, const std::string& right) {
  return "ROW(" + left + ")::record OPERATOR(pg_catalog.*=) ROW(" + right + ")::record";
}

std::string columns_of_table(const Images& images, const std::string& alias) {
  return listed(images.changed.size(),
                [&](std::size_t i) { return alias + "." + quoted(images.changed[i].name); });
}

/// alias."id" = prefix k1 AND …
std::string is_same_key(const Images& images, const std::string& alias,
                        const std::function<std::string(std::size_t)>& image_key) {
  return listed(
      images.key.size(),
      [&](std::size_t i) { return alias + "." + quoted(images.key[i].name) + " = " + image_key(i); },
      " AND ");
}

std::string target(const Images& images, const pg::HeapFacts* heap) {
  if (heap == nullptr) return images.table.sql();
  const std::string alias = heap->oid == images.table.oid ? "" : " AS " + quoted(images.table.name);
  return "ONLY " + heap->table_sql + alias;
}

std::string store_sql(const Images& images) {
  const auto all = image_columns(images);
  const auto sequence = pg::literal("pgsluice." + images.name() + "_number");
  return "kept AS (\nINSERT INTO " + images.table_sql() + " (place, " + all + ")\nSELECT " + kPlaceOfNumber +
         ", " + all + "\nFROM (SELECT pg_catalog.nextval(" + sequence + ") AS number, " + all +
         " FROM changed OFFSET 0) AS numbered)\n";
}

std::string still_sql(const BackfillStep& step) {
  return "CASE WHEN (" + (step.where.empty() ? "true" : step.where) + "\n) THEN true END AS still";
}

/// Server 18 and newer.
std::string returning_old(const Images& images, const BackfillStep& step, const pg::HeapFacts* heap,
                          const std::string& predicate) {
  const auto value = [](const char* of, const pg::Column& column, const std::string& as) {
    return std::string("\"pgsluice ") + of + "\"." + quoted(column.name) + " AS " + as;
  };
  const auto values = [&](const char* of, const std::vector<pg::Column>& from, const char* letter) {
    return listed(from.size(), [&](std::size_t i) { return value(of, from[i], numbered(letter, i)); });
  };
  return "changed AS (\nUPDATE " + target(images, heap) + "\n" + steps::set_and_where(step, predicate) +
         "\nRETURNING WITH (OLD AS \"pgsluice before\", NEW AS \"pgsluice after\") " +
         values("before", images.key, "k") + ", " + values("before", images.changed, "o") + ", " +
         values("after", images.changed, "n") + ", " + still_sql(step) + "),\n";
}

/// Servers before 18.
std::string old_rows_first(const Images& images, const BackfillStep& step, const pg::HeapFacts* heap,
                           const std::string& predicate, Guard guard) {
  const auto ours = [](const char* letter, std::size_t i) { return quoted(kOurs + numbered(letter, i)); };
  const auto selected = [&](const std::vector<pg::Column>& from, const char* letter) {
    return listed(from.size(),
                  [&](std::size_t i) { return quoted(from[i].name) + " AS " + ours(letter, i); });
  };
  const auto returned = [&](const char* letter, std::size_t count) {
    return listed(count, [&](std::size_t i) { return ours(letter, i) + " AS " + numbered(letter, i); });
  };
  const auto alias = quoted(images.table.name);
  const auto stored = listed(images.changed.size(), [&](std::size_t i) {
    return alias + "." + quoted(images.changed[i].name) + " AS " + numbered("n", i);
  });
  const auto same_key = is_same_key(images, alias, [&](std::size_t i) { return ours("k", i); });
  const bool is_locking = guard == Guard::kLock;
  return std::string(kOldRows) + " AS (\nSELECT " + (is_locking ? "" : kVersionRead) +
         selected(images.key, "k") + ", " + selected(images.changed, "o") + "\nFROM " + target(images, heap) +
         "\n" + steps::where_sql(step, predicate) + (is_locking ? "\nFOR NO KEY UPDATE" : "") +
         "),\nchanged AS (\nUPDATE " + target(images, heap) + "\n" + steps::set_sql(step) + "\nFROM " +
         kOldRows + "\nWHERE " + same_key + (is_locking ? "" : " AND " + alias + kSameVersion) + " AND (" +
         predicate + ")\nRETURNING " + returned("k", images.key.size()) + ", " +
         returned("o", images.changed.size()) + ", " + stored + ", " + still_sql(step) + "),\n";
}

std::string holds(const Images& images, const char* letter) {
  return is_identical(columns_of_table(images, "target"), columns(letter, images.changed.size(), "image."));
}

/// The UPDATE as a WITH query that tells of each row whether its old value is there now.
std::string restoring(const Images& images, const std::string& predicate, const std::string& condition,
                      const std::string& returned) {
  const auto set = listed(images.changed.size(), [&](std::size_t i) {
    return quoted(images.changed[i].name) + " = image." + numbered("o", i);
  });
  return images_where(images, predicate) + ",\nrestored AS (\nUPDATE " + images.table.sql() +
         " AS target SET " + set + "\nFROM image\nWHERE " + same_row(images) + condition + "\nRETURNING " +
         holds(images, "o") + " AS is_exact" + returned + ")";
}

constexpr const char* kCountRestored = "\nSELECT count(*) FILTER (WHERE is_exact), 0 FROM restored";

}  // namespace

std::string images_where(const Images& images, const std::string& predicate) {
  return "WITH image AS MATERIALIZED (\nSELECT * FROM " + images.table_sql() + " WHERE " + predicate + ")";
}

std::string same_row(const Images& images) {
  return is_same_key(images, "target", [](std::size_t i) { return "image." + numbered("k", i); });
}

std::string named_key(const Images& images, const std::string& prefix) {
  const auto text = [&](std::size_t i) {
    return prefix + numbered("k", i) + "::text COLLATE pg_catalog.\"default\"";
  };
  return "ARRAY[" + listed(images.key.size(), text) + "]";
}

std::string quarantine_sql(const Images& images, const std::string& predicate, const std::string& sqlstate,
                           const std::string& reason, const std::string& condition) {
  return images_where(images, predicate) +
         "\nINSERT INTO pgsluice.quarantine (step_id, key, sqlstate, message)\nSELECT " +
         std::to_string(images.step_id) + ", " + named_key(images, "image.") + ", " + sqlstate + ", " +
         reason + "\nFROM image LEFT JOIN " + images.table.sql() + " AS target ON " + same_row(images) +
         condition + ledger::renew_quarantined_sql();
}

bool is_name_of_images(const std::string& name) {
  return name.starts_with(kOurs);
}

std::string create_images_sql(const Images& images) {
  const auto typed = [](const std::vector<pg::Column>& from, const char* letter) {
    return listed(from.size(), [&](std::size_t i) {
      return numbered(letter, i) + " " + from[i].type + from[i].collation;
    });
  };
  const auto sequence = "pgsluice." + images.name() + "_number";
  return "CREATE TABLE " + images.table_sql() + " (place bigint NOT NULL, " + typed(images.key, "k") + ", " +
         typed(images.changed, "o") + ", " + typed(images.changed, "n") + ");\nCREATE SEQUENCE " + sequence +
         " OWNED BY " + images.table_sql() + ".place;\n" +
         // Images are joined by UPDATE and DELETE, which a publication of all tables refuses without one.
         "ALTER TABLE " + images.table_sql() + " REPLICA IDENTITY FULL";
}

std::vector<std::string> set_storage_sql(const Images& images, const std::string& column,
                                         const std::string& storage) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < images.changed.size(); ++i) {
    if (images.changed[i].name != column) continue;
    for (const char* letter : {"o", "n"})
      out.push_back("ALTER TABLE " + images.table_sql() + " ALTER COLUMN " + numbered(letter, i) +
                    " SET STORAGE " + storage);
  }
  return out;
}

std::string keeping_update_sql(const Images& images, const BackfillStep& step, const pg::HeapFacts* heap,
                               const std::string& predicate, const std::string& answer, Guard guard) {
  const auto change = images.server_returns_old ? returning_old(images, step, heap, predicate)
                                                : old_rows_first(images, step, heap, predicate, guard);
  return "WITH " + change + store_sql(images) + "SELECT " + answer + "\nFROM changed";
}

std::string missed_sql(const Images& images) {
  if (images.server_returns_old) return "0";
  return std::string("(SELECT count(*) FROM ") + kOldRows + ") - count(*)";
}

std::string old_rows_node(const Images& images) {
  return images.server_returns_old ? "" : "CTE pgsluice old";
}

std::string join_images_sql(const Images& images) {
  const auto keys = columns("k", images.key.size());
  const auto values = images.changed.size();
  const auto same = [&](const std::string& left, const std::string& right) {
    return listed(
        images.key.size(),
        [&](std::size_t i) { return left + numbered("k", i) + " = " + right + numbered("k", i); }, " AND ");
  };
  const auto table = images.table_sql();
  const auto restored =
      listed(values, [](std::size_t i) { return numbered("o", i) + " = oldest." + numbered("o", i); });
  return "WITH many AS (\nSELECT " + keys + " FROM " + table + " GROUP BY " + keys +
         " HAVING count(*) > 1),\nranked AS (\nSELECT image.*, row_number() OVER (PARTITION BY " +
         columns("k", images.key.size(), "image.") + " ORDER BY " + kNumberOfPlace +
         ") AS rank, count(*) OVER (PARTITION BY " + columns("k", images.key.size(), "image.") +
         ") AS images\nFROM " + table + " AS image JOIN many USING (" + keys + ")),\nbroken AS (\nSELECT " +
         columns("k", images.key.size(), "older.") +
         ", max(older.rank) AS rank\nFROM ranked AS older JOIN ranked AS newer ON " +
         same("older.", "newer.") + " AND newer.rank = older.rank + 1\nWHERE NOT " +
         is_identical(columns("n", values, "older."), columns("o", values, "newer.")) + "\nGROUP BY " +
         columns("k", images.key.size(), "older.") +
         "),\noldest AS (\nSELECT ranked.*\nFROM ranked LEFT JOIN broken USING (" + keys +
         ")\nWHERE ranked.rank = coalesce(broken.rank, 0) + 1),\ndropped AS (\nDELETE FROM " + table +
         " AS image USING ranked WHERE image.place = ranked.place AND ranked.rank < ranked.images)\nUPDATE " +
         table + " AS image SET " + restored + "\nFROM ranked AS newest JOIN oldest USING (" + keys +
         ")\nWHERE newest.rank = newest.images AND image.place = newest.place";
}

std::string index_images_sql(const Images& images) {
  return "CREATE UNIQUE INDEX IF NOT EXISTS " + quoted(images.name() + "_place") + " ON " +
         images.table_sql() + " (place)";
}

std::string restore_sql(const Images& images, const std::string& predicate, bool is_forced) {
  const auto condition = is_forced ? "NOT " + holds(images, "o") : holds(images, "n");
  return restoring(images, predicate, " AND " + condition, "") + kCountRestored;
}

std::string overwrite_named_sql(const Images& images, const std::string& predicate) {
  return restoring(images, predicate, "", ", " + named_key(images, "image.") + " AS key") +
         ",\nno_more AS (\nDELETE FROM pgsluice.quarantine AS named USING restored\nWHERE " +
         ledger::is_quarantined_sql("named", images.step_id, "restored.key") + " AND restored.is_exact)" +
         kCountRestored;
}

std::string is_named_sql(const Images& images) {
  return " AND EXISTS (SELECT FROM pgsluice.quarantine AS named WHERE " +
         ledger::is_quarantined_sql("named", images.step_id, named_key(images, "")) + ")";
}

std::string not_restored_sql(const Images& images, const std::string& predicate) {
  const auto is_gone = "target." + quoted(images.key.front().name) + " IS NULL";
  const auto is_ours = holds(images, "n");
  const auto* gone = images.table.kind == "p" ? kIsGoneOrDetached : kIsGone;
  // A row that still holds what the job wrote was left so by a trigger: that is a fault, not a wish of
  // others.
  const auto sqlstate = "CASE WHEN " + is_ours + " THEN " + pg::literal(kTriggeredAction) + " ELSE '' END";
  const auto reason = "CASE WHEN " + is_gone + " THEN " + pg::literal(gone) + " WHEN " + is_ours + " THEN " +
                      pg::literal(kIsLeft) + " ELSE " + pg::literal(kIsChanged) + " END";
  return quarantine_sql(images, predicate, sqlstate, reason,
                        "\nWHERE " + is_gone + " OR NOT " + holds(images, "o"));
}

std::string quarantine_images_sql(const Images& images, const std::string& predicate,
                                  const std::string& sqlstate, const std::string& message) {
  return quarantine_sql(images, predicate, pg::literal(sqlstate), pg::literal(message), "");
}

}  // namespace pgsluice::engine
