// What an engineer writes without a tool.

#include "compare/by_hand.hpp"
#include "measure/not_available.hpp"

namespace pgsluice::bench {
namespace {

/// "low_id, low_tenant_id" of "id, tenant_id".
std::string prefixed(const std::string& prefix, const Table& table) {
  std::string text;
  for (const auto& column : table.key) text += (text.empty() ? "" : ", ") + prefix + column;
  return text;
}

std::string declarations(const Table& table) {
  std::string text;
  for (const auto& column : table.key) {
    for (const std::string prefix : {"low_", "next_"}) {
      text += prefix + column + " users." + column + "%TYPE; ";
    }
  }
  return text;
}

void require_key(const Table& table) {
  if (table.key.empty()) throw NotAvailable("needs a key");
}

}  // namespace

void one_update(test::Db& db, const Table&) {
  db.exec(std::string("UPDATE users SET ") + kChange + " WHERE " + kLeft);
}

void loop_with_commit(test::Db& db, const Table& table) {
  require_key(table);
  const auto key = key_list(table);
  const auto low = prefixed("low_", table);
  const auto next = prefixed("next_", table);
  const auto update =
      std::string("UPDATE users SET ") + kChange + " WHERE " + kLeft + " AND (" + key + ") >= (" + low + ")";
  db.exec("SET synchronous_commit = off");
  db.exec("DO $loop$ DECLARE " + declarations(table) + "BEGIN SELECT " + key + " INTO " + low +
          " FROM users ORDER BY " + key + " LIMIT 1; LOOP SELECT " + key + " INTO " + next +
          " FROM users WHERE (" + key + ") >= (" + low + ") ORDER BY " + key + " OFFSET " +
          std::to_string(kBatchRows) + " LIMIT 1; IF NOT FOUND THEN " + update + "; EXIT; END IF; " + update +
          " AND (" + key + ") < (" + next + "); COMMIT; SELECT " + next + " INTO " + low +
          "; END LOOP; COMMIT; END $loop$");
}

void offset_batches(test::Db& db, const Table& table) {
  require_key(table);
  const auto key = key_list(table);
  db.exec("SET synchronous_commit = off");
  for (std::int64_t offset = 0; offset < table.rows; offset += kOffsetBatchRows) {
    db.exec(std::string("UPDATE users SET ") + kChange + " WHERE (" + key + ") IN (SELECT " + key +
            " FROM users ORDER BY " + key + " LIMIT " + std::to_string(kOffsetBatchRows) + " OFFSET " +
            std::to_string(offset) + ")");
  }
}

}  // namespace pgsluice::bench
