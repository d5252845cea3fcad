#include "kinds/retype/mapping/missing_values.hpp"

#include "kinds/retype/mapping/mapping.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr int kNamedMost = 10;  // keys in one message; for more, a query is better

/// A column and the one to which its values map.
struct ColumnPair {
  std::string filled;    // the column that has a value, quoted
  std::string missing;   // the one that may have none, quoted
  std::string value;     // the value that belongs there, over the table's columns
  std::string is_kept;   // a further condition that must hold; empty: none
  bool is_total = true;  // every value has a partner; false: an expression may map some to NULL
  std::string is_meant;  // a condition: NULL is what belongs there; empty: it never does
  std::string hint;
};

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// The row's key in words, from v_row.
std::string key_of(const GraphTable& table) {
  std::string list;
  for (const auto& column : table.key) list += ", v_row." + quoted(column);
  return "pg_catalog.concat_ws(', '" + list + ")";
}

std::string loop_of(const GraphTable& table, const ColumnPair& pair) {
  const auto lacks = pair.filled + " IS NOT NULL AND " + pair.missing + " IS NULL" +
                     (pair.is_meant.empty() ? "" : " AND NOT " + pair.is_meant);
  const auto at = "tableoid = v_row.pgsluice_table AND ctid = v_row.pgsluice_at AND " + lacks;
  std::string keys;
  for (const auto& column : table.key) keys += ", " + quoted(column);
  std::string sql = "  FOR v_row IN SELECT tableoid AS pgsluice_table, ctid AS pgsluice_at" + keys +
                    " FROM " + table.sql() + " WHERE " + lacks + " LOOP\n    BEGIN\n      UPDATE " +
                    table.sql() + " SET " + pair.missing + " = " + pair.value + " WHERE " + at + " AND (" +
                    pair.value + ") IS NOT NULL" + (pair.is_kept.empty() ? "" : " AND " + pair.is_kept) +
                    ";\n";
  if (pair.is_total)
    sql += "      IF NOT FOUND THEN\n        PERFORM FROM " + table.sql() + " WHERE " + at +
           ";\n        IF FOUND THEN\n          RAISE EXCEPTION 'it would be cut or rounded';\n        END "
           "IF;\n      END IF;\n";
  return sql +
         "    EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN\n      "
         "RAISE;\n    WHEN OTHERS THEN\n      v_count := v_count + 1;\n      v_rows := v_rows || "
         "pg_catalog.format(E'\\n  (%s): %s', " +
         key_of(table) + ", SQLERRM);\n    END;\n    EXIT WHEN v_count >= " + std::to_string(kNamedMost) +
         ";\n  END LOOP;\n  IF v_count > 0 THEN\n    RAISE EXCEPTION USING ERRCODE = 'data_exception', "
         "MESSAGE "
         "= " +
         pg::literal("rows of " + table.sql() + " have no value for " + pair.missing + ":") +
         " || v_rows, HINT = " + pg::literal(pair.hint) + ";\n  END IF;\n";
}

std::string statement(const std::string& loops) {
  if (loops.empty()) return {};
  return "DO " +
         pg::literal("DECLARE v_row record; v_rows text := ''; v_count int := 0;\nBEGIN\n" + loops + "END");
}

}  // namespace

std::string look_for_missing_new_values(const Retype& retype, const GraphTable& table) {
  std::string loops;
  const int number = static_cast<int>(&table - retype.graph.tables.data());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Place place{number, static_cast<int>(i)};
    if (!may_lack_new_value(retype, place)) continue;
    const auto& column = table.columns[i];
    loops += loop_of(table, {quoted(column.name), quoted(new_name(column.name)), new_value(retype, place, ""),
                             "", retype.step.using_sql.empty(), "", "correct these rows, then run again"});
  }
  return statement(loops);
}

std::string look_for_missing_old_values(const Retype& retype, const GraphTable& table) {
  std::string loops;
  const int number = static_cast<int>(&table - retype.graph.tables.data());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Place place{number, static_cast<int>(i)};
    if (!may_lack_old_value(retype, place)) continue;
    const auto& column = table.columns[i];
    // A row whose NULL `using` turned into a value, and that nobody has touched since.
    const auto is_meant =
        retype.step.using_sql.empty()
            ? std::string()
            : is_identical(
                  quoted(column.name),
                  "(" + new_value_of(retype, place, quoted(old_name(column.name))) + ")::" + retype.step.to);
    loops += loop_of(table, {quoted(column.name), quoted(old_name(column.name)), old_value(retype, place, ""),
                             is_kept_by_old_value(retype, place, ""),
                             retype.step.back_sql.empty() && retype.step.using_sql.empty(), is_meant,
                             "correct these rows, then roll back again"});
  }
  return statement(loops);
}

}  // namespace pgsluice::steps::retype
