#include "kinds/retype/mapping/lost_values.hpp"

#include "kinds/retype/mapping/mapping.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kShown = "3";     // examples in one message
constexpr const char* kLetters = "40";  // shown of a value in an example

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

bool is_proved_reference(const Retype& retype, const GraphColumn& column) {
  if (!column.refers_to) return false;
  const auto& key = retype.graph.foreign_keys[static_cast<std::size_t>(column.through)];
  // If another of its columns is NULL, nothing checks a reference.
  return key.is_validated && key.columns.size() == 1;
}

/// `(17)`, the key of the row that `row` names.
std::string key_of(const GraphTable& table, const std::string& row) {
  std::string list;
  for (const auto& column : table.key) list += ", " + row + quoted(column);
  return "'(' || pg_catalog.concat_ws(', '" + list + ") || ')'";
}

/// `'abcd' would become 'abc'`, shortened.
std::string would_become(const Retype& retype, const DoubtfulColumn& column) {
  const auto shown = [](const std::string& value) {
    return "pg_catalog.quote_literal(pg_catalog.left((" + value + ")::pg_catalog.text, " + kLetters + "))";
  };
  return shown(quoted(retype.graph.at(column.place).name)) + " || ' would become ' || " + shown(column.value);
}

}  // namespace

std::vector<DoubtfulColumn> doubtful_columns(const Retype& retype, const GraphTable& table) {
  std::vector<DoubtfulColumn> out;
  if (retype.step.mapping != Mapping::kUsing) return out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const Place place{static_cast<int>(&table - retype.graph.tables.data()), static_cast<int>(i)};
    if (is_proved_reference(retype, column)) continue;
    const auto value = new_value_exactly(retype, place);
    const auto is_cut = cut_condition(retype, place, "");
    std::string is_missing;
    if (column.is_not_null && !retype.step.using_sql.empty()) is_missing = "(" + value + ") IS NULL";
    if (!is_cut.empty() || may_lack_new_value(retype, place))
      out.push_back({place, value, is_cut, is_missing});
  }
  return out;
}

std::string count_lost_sql(const Retype& retype, const DoubtfulColumn& column, const std::string& heap,
                           const std::string& where) {
  const auto key = key_of(retype.graph.table_of(column.place), "");
  // Counting the values makes the server compute each of them.
  const auto count = [&](const std::string& condition, const std::string& words) {
    if (condition.empty()) return "count(" + column.value + ") * 0, NULL::text[]";
    return "count(*) FILTER (WHERE " + condition + "), (array_agg(" + words + ") FILTER (WHERE " + condition +
           "))[1:" + kShown + "]";
  };
  return "SELECT " + count(column.is_cut, key + " || ': ' || " + would_become(retype, column)) + ", " +
         count(column.is_missing, key) + " FROM ONLY " + heap + " WHERE " + where;
}

std::vector<std::string> count_lost_one_by_one_sql(const Retype& retype, const DoubtfulColumn& column,
                                                   const std::string& heap, const std::string& where) {
  const auto& table = retype.graph.table_of(column.place);
  std::string keys;
  for (const auto& name : table.key) keys += ", " + quoted(name);
  const auto key = key_of(table, "v_row.");
  const auto keep = [](const std::string& what, const std::string& words) {
    return "v_" + what + " := v_" + what + " + 1;\n        IF v_" + what + " <= " + kShown + " THEN v_" +
           what + "_rows := v_" + what + "_rows || (" + words + "); END IF;\n";
  };
  const auto or_false = [](const std::string& condition) { return condition.empty() ? "false" : condition; };
  const auto body =
      "DECLARE v_row record; v_at record; v_cut bigint := 0; v_cut_rows text[] := '{}'; v_missing bigint := "
      "0; "
      "v_missing_rows text[] := '{}';\nBEGIN\n  FOR v_row IN SELECT ctid AS pgsluice_at" +
      keys + " FROM ONLY " + heap + " WHERE " + where + " LOOP\n    BEGIN\n      SELECT (" + column.value +
      ") AS value, (" + or_false(column.is_cut) + ") AS is_cut, (" + or_false(column.is_missing) +
      ") AS is_missing INTO v_at FROM ONLY " + heap +
      " WHERE ctid = v_row.pgsluice_at;\n      IF v_at.is_cut THEN\n        " + keep("cut", key) +
      "      END IF;\n      IF v_at.is_missing THEN\n        " + keep("missing", key) +
      "      END IF;\n    EXCEPTION WHEN OTHERS THEN\n        " +
      keep("missing", key + " || ': ' || SQLERRM") +
      "    END;\n  END LOOP;\n  PERFORM pg_catalog.set_config('pgsluice.cut', v_cut::text, true), "
      "pg_catalog.set_config('pgsluice.cut_rows', v_cut_rows::text, true), "
      "pg_catalog.set_config('pgsluice.missing', v_missing::text, true), "
      "pg_catalog.set_config('pgsluice.missing_rows', v_missing_rows::text, true);\nEND";
  return {"DO " + pg::literal(body),
          "SELECT pg_catalog.current_setting('pgsluice.cut')::bigint, "
          "pg_catalog.current_setting('pgsluice.cut_rows')::text[], "
          "pg_catalog.current_setting('pgsluice.missing')::bigint, "
          "pg_catalog.current_setting('pgsluice.missing_rows')::text[]"};
}

}  // namespace pgsluice::steps::retype
