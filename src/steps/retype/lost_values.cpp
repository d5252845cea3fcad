#include "steps/retype/lost_values.hpp"

#include "pg/identifier.hpp"
#include "steps/retype/mapping.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kShown = "3";    // examples in one message
constexpr const char* kLetters = "40";  // of a value in an example

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

bool is_proved_reference(const Retype& retype, const GraphColumn& column) {
  return column.refers_to &&
         retype.graph.foreign_keys[static_cast<std::size_t>(column.through)].is_validated;
}

/// By equality where the type has one: 1.0 that comes back as 1 is whole. Without a way back only the
/// modifier can be asked: the value with it against the value without.
std::string cut_condition(const Retype& retype, const GraphColumn& column, const std::string& value) {
  const auto& forward = column.forward;
  if (!forward.may_cut) return {};
  const auto own = quoted(column.name);
  const auto differs = [](const std::string& a, const std::string& b, bool has_equality) {
    return has_equality ? a + " IS DISTINCT FROM " + b : "NOT " + is_identical(a, b);
  };
  if (!forward.is_by_text && column.backward.exists)
    return differs("(" + value + ")::" + column.old_type_sql, own, column.old_type.has_equality);
  const auto bare = retype.graph.to.base_sql;
  return differs("(" + value + ")::" + bare, "(" + own + ")::" + bare, retype.graph.to.has_equality);
}

/// `(17)` of the row that `row` names.
std::string key_of(const GraphTable& table, const std::string& row) {
  std::string list;
  for (const auto& column : table.key) list += ", " + row + quoted(column);
  return "'(' || pg_catalog.concat_ws(', '" + list + ") || ')'";
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
    const auto is_cut =
        retype.step.using_sql.empty() ? cut_condition(retype, column, value) : std::string();
    if (!is_cut.empty() || may_lack_new_value(retype, place)) out.push_back({place, value, is_cut});
  }
  return out;
}

std::string count_cut_sql(const Retype& retype, const DoubtfulColumn& column, const std::string& heap,
                          const std::string& where) {
  const auto own = quoted(retype.graph.at(column.place).name);
  const auto shown = [](const std::string& value) {
    return "pg_catalog.left((" + value + ")::pg_catalog.text, " + kLetters + ")";
  };
  const auto from = " FROM ONLY " + heap + " WHERE " + own + " IS NOT NULL AND " + where;
  if (column.is_cut.empty()) return "SELECT count(" + column.value + ") * 0, NULL::text[]" + from;
  const auto& is_cut = column.is_cut;
  return "SELECT count(*) FILTER (WHERE " + is_cut + "), (array_agg(" +
         key_of(retype.graph.table_of(column.place), "") + " || ': ' || pg_catalog.quote_literal(" + shown(own) +
         ") || ' would become ' || pg_catalog.quote_literal(" + shown(column.value) + ")) FILTER (WHERE " +
         is_cut + "))[1:" + kShown + "]" + from;
}

std::vector<std::string> count_missing_sql(const Retype& retype, const DoubtfulColumn& column,
                                           const std::string& heap, const std::string& where) {
  const auto& table = retype.graph.table_of(column.place);
  std::string keys;
  for (const auto& name : table.key) keys += ", " + quoted(name);
  const auto body =
      "DECLARE v_row record; v_count bigint := 0; v_rows text[] := '{}';\nBEGIN\n  FOR v_row IN SELECT ctid AS "
      "pgsluice_at" +
      keys + " FROM ONLY " + heap + " WHERE " + quoted(retype.graph.at(column.place).name) +
      " IS NOT NULL AND " + where + " LOOP\n    BEGIN\n      PERFORM (" + column.value + ") FROM ONLY " + heap +
      " WHERE ctid = v_row.pgsluice_at;\n    EXCEPTION WHEN OTHERS THEN\n      v_count := v_count + 1;\n      IF "
      "v_count <= " +
      kShown + " THEN\n        v_rows := v_rows || (" + key_of(table, "v_row.") +
      " || ': ' || SQLERRM);\n      END IF;\n    END;\n  END LOOP;\n  PERFORM "
      "pg_catalog.set_config('pgsluice.missing', v_count::text, true), "
      "pg_catalog.set_config('pgsluice.missing_rows', v_rows::text, true);\nEND";
  return {"DO " + pg::literal(body),
          "SELECT pg_catalog.current_setting('pgsluice.missing')::bigint, "
          "pg_catalog.current_setting('pgsluice.missing_rows')::text[]"};
}

}  // namespace pgsluice::steps::retype
