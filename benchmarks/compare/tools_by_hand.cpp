// What two tools send for such a change, in our words.

#include "compare/by_hand.hpp"
#include "measure/not_available.hpp"

namespace pgsluice::bench {
namespace {

constexpr const char* kMarker = "needs_backfill";

/// Every column as a variable, the search_path asked for to tell old clients from new ones: that is what a
/// row costs there.
std::string trigger_sql(const Table& table) {
  std::string variables;
  for (const auto& column : column_names(table)) {
    variables += column + " users." + column + "%TYPE := NEW." + column + "; ";
  }
  return "CREATE FUNCTION fill_row() RETURNS trigger LANGUAGE plpgsql AS $fill$ DECLARE " + variables +
         "path text; BEGIN SELECT s INTO path FROM current_setting('search_path') AS s; "
         "IF path <> 'new_version' THEN NEW.onboarding_completed = true; NEW.needs_backfill = false; END IF; "
         "RETURN NEW; END $fill$; CREATE TRIGGER fill_row BEFORE INSERT OR UPDATE ON users FOR EACH ROW "
         "EXECUTE FUNCTION fill_row()";
}

/// "users.tenant_id = batch.tenant_id AND users.id = batch.id".
std::string join_condition(const Table& table) {
  std::string text;
  for (const auto& column : table.key) {
    text += (text.empty() ? "" : " AND ") + ("users." + column + " = batch." + column);
  }
  return text;
}

/// Values of a key as constants: "'7', '12'".
std::string constants(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "'" : ", '") + value + "'";
  return text;
}

std::string touching_batch(const Table& table, const std::string& last) {
  const auto key = key_list(table);
  const auto& first = table.key.front();
  std::string own_columns, last_values;
  for (const auto& column : table.key) {
    own_columns += (own_columns.empty() ? "users." : ", users.") + column;
    last_values += (last_values.empty() ? "" : ", ") + ("last_value(" + column + ") OVER ()");
  }
  return "WITH batch AS (SELECT " + key + " FROM users WHERE " + kMarker + " = true" +
         (last.empty() ? "" : " AND (" + key + ") > (" + last + ")") + " ORDER BY " + key + " LIMIT " +
         std::to_string(kBatchRows) + " FOR NO KEY UPDATE), touched AS (UPDATE users SET " + first +
         " = users." + first + " FROM batch WHERE " + join_condition(table) + " RETURNING " + own_columns +
         ") SELECT " + last_values + " FROM touched";
}

}  // namespace

void pgroll_shape(test::Db& db, const Table& table) {
  if (table.key.empty()) throw NotAvailable("needs a key");
  db.exec(std::string("ALTER TABLE users ADD COLUMN ") + kMarker + " boolean DEFAULT true");
  db.exec(trigger_sql(table));
  db.exec("SET synchronous_commit = off");
  std::string last;
  while (true) {
    const auto touched = db.rows(touching_batch(table, last));
    if (touched.empty()) break;
    last = constants(touched.front());
  }
  db.exec("DROP TRIGGER fill_row ON users; DROP FUNCTION fill_row()");
  db.exec(std::string("ALTER TABLE users DROP COLUMN ") + kMarker);
}

void gitlab_shape(test::Db& db, const Table& table) {
  if (table.key.size() != 1) throw NotAvailable("needs a unique key of one column");
  const auto& key = table.key.front();
  const auto update = std::string("UPDATE users SET ") + kChange + " WHERE " + kLeft + " AND " + key + " >= ";
  db.exec("SET synchronous_commit = off");
  std::string low = constants(db.rows("SELECT " + key + " FROM users ORDER BY " + key + " LIMIT 1").at(0));
  while (true) {
    const auto bounds = db.rows("SELECT " + key + " FROM users WHERE " + key + " >= " + low + " ORDER BY " +
                                key + " OFFSET " + std::to_string(kBatchRows - 1) + " LIMIT 2");
    if (bounds.size() < 2) break;
    const auto next = constants(bounds.at(1));
    db.exec(update + low + " AND " + key + " < " + next);
    low = next;
  }
  db.exec(update + low);
}

}  // namespace pgsluice::bench
