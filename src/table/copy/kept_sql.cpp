#include "table/copy/kept_sql.hpp"

#include "ledger/range/checkpoint.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/images/images_sql.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kIsGone = "the row is gone: deleted, or its key changed";
constexpr const char* kIsChanged = "it was changed since it was copied, and is kept";
constexpr const char* kIsLeft = "it is as it was copied: a trigger or rule kept it from being deleted";
constexpr const char* kTriggeredAction = "09000";  // triggered_action_exception
// Given out to a session at a time; gaps do no harm.
constexpr int kPlacesCached = 100;

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// Seeds are chained, so that nothing is concatenated and NULL is not an empty text. Without COLLATE a
/// nondeterministic collation gives 'A' and 'a' one hash.
std::string hash_sql(const Images& images, const std::string& alias) {
  std::string hash = "0";
  for (const auto& column : images.changed)
    hash = "pg_catalog.hashtextextended(coalesce(" + alias + "." + quoted(column.name) +
           "::text, E'\\x01') COLLATE pg_catalog.\"C\", " + hash + ")";
  return hash;
}

std::string numbered_keys(const Images& images, const std::string& prefix) {
  std::string keys;
  for (std::size_t i = 0; i < images.key.size(); ++i)
    keys += (i == 0 ? "" : ", ") + prefix + "k" + std::to_string(i + 1);
  return keys;
}

/// A row of the referring table has the values of row `target`.
std::string refers(const Referrer& referrer) {
  std::string equal;
  for (std::size_t i = 0; i < referrer.columns.size(); ++i)
    equal += (i == 0 ? "" : " AND ") + std::string("referring.") + quoted(referrer.columns[i]) +
             " = target." + quoted(referrer.referenced_columns.at(i));
  return "EXISTS (SELECT FROM " + referrer.table_sql + " AS referring WHERE " + equal + ")";
}

std::string unreferred(const std::vector<Referrer>& referrers) {
  std::string sql;
  for (const auto& referrer : referrers) sql += "\n  AND NOT " + refers(referrer);
  return sql;
}

std::string is_as_copied(const Images& images) {
  return hash_sql(images, "target") + " = image.hash";
}

std::string removing(const Images& images, const std::string& predicate, const std::string& condition,
                     const std::string& returned) {
  return images_where(images, predicate) + ",\nremoved AS (\nDELETE FROM " + images.table.sql() +
         " AS target USING image\nWHERE " + same_row(images) + condition + "\nRETURNING image.place" +
         returned + "),\nused AS (\nDELETE FROM " + images.table_sql() +
         " AS mine USING removed WHERE mine.place = removed.place)";
}

constexpr const char* kCountRemoved = "\nSELECT count(*), 0 FROM removed";

}  // namespace

const char* kept_settings() {
  return "; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'";
}

std::string create_kept_sql(const Images& images) {
  std::string keys;
  for (std::size_t i = 0; i < images.key.size(); ++i)
    keys += "k" + std::to_string(i + 1) + " " + images.key[i].type + images.key[i].collation + ", ";
  return "CREATE TABLE " + images.table_sql() + " (place bigint GENERATED ALWAYS AS IDENTITY (CACHE " +
         std::to_string(kPlacesCached) + "), " + keys + "hash bigint NOT NULL);\n" +
         // Images are deleted, which a publication of all tables refuses without one.
         "ALTER TABLE " + images.table_sql() + " REPLICA IDENTITY FULL";
}

std::string keeping_insert_sql(const Images& images, const std::string& insert) {
  std::string returned;
  for (std::size_t i = 0; i < images.key.size(); ++i)
    returned += "present." + quoted(images.key[i].name) + " AS k" + std::to_string(i + 1) + ", ";
  const auto columns = numbered_keys(images, "") + ", hash";
  return "WITH copied AS (\n" + insert + "\nRETURNING " + returned + hash_sql(images, "present") +
         " AS hash),\nkept AS (\nINSERT INTO " + images.table_sql() + " (" + columns + ")\nSELECT " +
         columns + " FROM copied)\nSELECT count(*) FROM copied";
}

std::string newest_image_sql(const Images& images) {
  const auto keys = numbered_keys(images, "");
  std::string same;
  for (std::size_t i = 0; i < images.key.size(); ++i) {
    const auto key = "k" + std::to_string(i + 1);
    same += "image." + key + " = many." + key + " AND ";
  }
  return "DELETE FROM " + images.table_sql() + " AS image\nUSING (SELECT " + keys +
         ", max(place) AS newest FROM " + images.table_sql() + " GROUP BY " + keys +
         " HAVING count(*) > 1) AS many\nWHERE " + same + "image.place < many.newest";
}

std::string hold_kept_sql(const Images& images, const std::string& predicate) {
  return images_where(images, predicate) + "\nSELECT FROM image JOIN " + images.table.sql() +
         " AS target ON " + same_row(images) + " FOR UPDATE OF target";
}

std::string remove_kept_sql(const Images& images, const std::vector<Referrer>& referrers,
                            const std::string& predicate, bool is_forced) {
  const auto condition = is_forced ? std::string() : "\n  AND " + is_as_copied(images);
  return removing(images, predicate, condition + unreferred(referrers), "") + kCountRemoved;
}

std::string remove_named_sql(const Images& images, const std::vector<Referrer>& referrers,
                             const std::string& predicate) {
  return removing(images, predicate, unreferred(referrers), ", " + named_key(images, "image.") + " AS key") +
         ",\nno_more AS (\nDELETE FROM pgsluice.quarantine AS named USING removed\nWHERE " +
         ledger::is_quarantined_sql("named", images.step_id, "removed.key") + ")" + kCountRemoved;
}

std::string not_removed_sql(const Images& images, const std::vector<Referrer>& referrers,
                            const std::string& predicate) {
  std::string referred;
  for (const auto& referrer : referrers)
    referred += " WHEN " + refers(referrer) + " THEN " +
                pg::literal("a row of " + referrer.table_sql + " refers to it, and it is kept");
  const auto is_gone = "target." + quoted(images.key.front().name) + " IS NULL";
  const auto reason = "CASE WHEN " + is_gone + " THEN " + pg::literal(kIsGone) + referred + " WHEN " +
                      is_as_copied(images) + " THEN " + pg::literal(kIsLeft) + " ELSE " +
                      pg::literal(kIsChanged) + " END";
  std::string is_referred;
  for (const auto& referrer : referrers) is_referred += " AND NOT " + refers(referrer);
  // What nobody changed and nobody refers to was kept by a trigger: a fault, not a wish of others.
  const auto sqlstate = "CASE WHEN " + is_as_copied(images) + is_referred + " THEN " +
                        pg::literal(kTriggeredAction) + " ELSE '' END";
  return quarantine_sql(images, predicate, sqlstate, reason, "");
}

}  // namespace pgsluice::engine
