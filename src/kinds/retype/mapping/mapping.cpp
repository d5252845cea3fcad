#include "kinds/retype/mapping/mapping.hpp"

#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// The root whose values the column holds.
Place root_of(const Retype& retype, Place place) {
  while (retype.graph.at(place).refers_to) place = *retype.graph.at(place).refers_to;
  return place;
}

/// Custom UUID, version 8 of RFC 9562: the number is its last 48 bits.
std::string embed(const std::string& value) {
  return "('00000000-0000-8000-8000-' || pg_catalog.lpad(pg_catalog.to_hex((" + value +
         ")::pg_catalog.int8), 12, '0'))::pg_catalog.uuid";
}

/// The hashed name is `table:id`, so that rows of different tables never share a uuid.
std::string hashed_name(const GraphTable& table, const std::string& value) {
  return pg::literal(table.name + ":") + " || (" + value + ")::pg_catalog.text";
}

/// RFC 9562, version 7: 48 bits of milliseconds; the other 74 bits come from a hash of the row's name.
std::string v7(const GraphTable& table, const std::string& value, const std::string& from) {
  const auto hash = "pg_catalog.md5(" + hashed_name(table, value) + ")";
  // NULL, infinity and times outside 48 bits take the nearest value that fits.
  const auto time = "least(greatest(coalesce(extract(epoch FROM " + from + ") * 1000, 0), 0), " +
                    std::string(kEmbedMax) + ")::pg_catalog.int8";
  return "(pg_catalog.lpad(pg_catalog.to_hex(" + time + "), 12, '0') || '7' || pg_catalog.substr(" + hash +
         ", 1, 3) || '8' || pg_catalog.substr(" + hash + ", 4, 15))::pg_catalog.uuid";
}

/// The operator's own expression over the root's column, applied to `column`.
std::string operators_own(const Retype& retype, const std::string& expression, const std::string& root,
                          const std::string& column, const std::string& row) {
  const auto renamed = column == root ? expression : retype.rename(expression, {{root, column}});
  if (row.empty()) return "(" + renamed + "\n)";
  // So that its names mean the row's columns.
  return "(SELECT (" + renamed + "\n) FROM (SELECT " + row + "*) AS pgsluice_row)";
}

/// The parent row's value of `wanted`, found by the foreign key's columns.
std::string looked_up(const Retype& retype, Place place, const std::string& wanted, const std::string& row) {
  const auto& column = retype.graph.at(place);
  const auto& key = retype.graph.foreign_keys[static_cast<std::size_t>(column.through)];
  const auto& parent = retype.table(key.ref_table);
  std::string sql =
      "(SELECT pgsluice_parent." + quoted(wanted) + " FROM " + parent.sql() + " AS pgsluice_parent WHERE ";
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const auto own = row.empty() ? retype.graph.table_of(place).sql() + "." + quoted(key.columns[i])
                                 : row + quoted(key.columns[i]);
    sql += (i ? " AND " : "") + ("pgsluice_parent." + quoted(key.ref_columns[i])) + " = " + own;
  }
  return sql + ")";
}

std::string of_root(const Retype& retype, Place place, const std::string& value, const std::string& row) {
  const auto& step = retype.step;
  const auto root = root_of(retype, place);
  const auto& table = retype.graph.table_of(root);
  switch (step.mapping) {
    case Mapping::kEmbed:
      return embed(value);
    case Mapping::kV5:
      return retype.graph.v5_function + "(" + pg::literal(step.v5_namespace) + "::pg_catalog.uuid, " +
             hashed_name(table, value) + ")";
    case Mapping::kV7:
      return v7(table, value, row + quoted(step.v7_from));
    case Mapping::kRandom:
      return "pg_catalog.gen_random_uuid()";
    case Mapping::kUsing:
      break;
  }
  // Stored as it is, it is converted as by ALTER TABLE … TYPE; `::` would cut a value that is too long.
  if (retype.graph.at(place).forward.is_assignment) return "(" + value + ")";
  return "((" + value + ")::" + step.to + ")";
}

bool has_identity(const GraphColumn& column) {
  return !column.source.identity.empty() || !column.old_source.identity.empty();
}

}  // namespace

bool is_by_value(const RetypeStep& step) {
  return step.mapping != Mapping::kRandom && step.mapping != Mapping::kV7;
}

bool is_plain_cast(const RetypeStep& step) {
  return step.mapping == Mapping::kUsing && step.using_sql.empty();
}

bool is_back_by_value(const RetypeStep& step) {
  return step.mapping == Mapping::kUsing && (!step.back_sql.empty() || step.to != "uuid");
}

std::string new_value(const Retype& retype, Place place, const std::string& row) {
  const auto& column = retype.graph.at(place);
  const auto& step = retype.step;
  if (!is_by_value(step) && column.refers_to)
    return looked_up(retype, place, new_name(retype.graph.at(*column.refers_to).name), row);
  if (step.mapping == Mapping::kUsing && !step.using_sql.empty()) {
    return operators_own(retype, step.using_sql, retype.graph.at(root_of(retype, place)).name, column.name,
                         row);
  }
  return of_root(retype, place, row + quoted(column.name), row);
}

std::string new_value_exactly(const Retype& retype, Place place) {
  return "(" + new_value(retype, place, "") + ")::" + retype.step.to;
}

std::string cut_condition(const Retype& retype, Place place, const std::string& row) {
  const auto& column = retype.graph.at(place);
  const auto& forward = column.forward;
  if (!is_plain_cast(retype.step) || !forward.may_cut) return {};
  const auto own = row + quoted(column.name);
  const auto value = "(" + own + ")::" + retype.step.to;
  const auto differs = [](const std::string& a, const std::string& b, bool has_equality) {
    return has_equality ? a + " IS DISTINCT FROM " + b : "NOT " + is_identical(a, b);
  };
  // Storing bits of another length is an error, where `::` makes them fit.
  const bool is_bits = column.old_type.base_sql == "\"bit\"" || column.old_type.base_sql == "bit varying";
  if (is_bits && retype.graph.to.base_sql == "\"bit\"")
    return "coalesce(pg_catalog.length(" + value + ") <> pg_catalog.length((" + own +
           ")::pg_catalog.varbit), false)";
  if (!forward.is_by_text && column.backward.exists)
    return differs("(" + value + ")::" + column.old_type_sql, own, column.old_type.has_equality);
  // Without a cast back only the modifier can be tested: the value with it against the value without it.
  const auto& bare = retype.graph.to.base_sql;
  return differs("(" + value + ")::" + bare, "(" + own + ")::" + bare, retype.graph.to.has_equality);
}

bool may_lack_new_value(const Retype& retype, Place place) {
  if (!is_by_value(retype.step)) return false;
  if (is_plain_cast(retype.step)) return retype.graph.at(place).forward.may_fail;
  return retype.step.mapping == Mapping::kUsing;
}

bool may_lack_old_value(const Retype& retype, Place place) {
  if (!is_back_by_value(retype.step)) return false;
  const auto& column = retype.graph.at(place);
  // An identity takes no NULL: there the application's statement fails instead.
  if (takes_key_from_old(retype, column) && has_identity(column)) return false;
  const auto& backward = column.backward;
  return !retype.step.back_sql.empty() || backward.may_fail || backward.may_cut;
}

bool is_loosened(const Retype& retype, const GraphTable& table, const GraphColumn& column) {
  const Place place{static_cast<int>(&table - retype.graph.tables.data()),
                    static_cast<int>(&column - table.columns.data())};
  return column.refers_to.has_value() || may_lack_old_value(retype, place);
}

bool is_tightened(const GraphColumn& column) {
  return column.is_not_null && !column.old_is_not_null;
}

std::string is_identical(const std::string& left, const std::string& right) {
  return "pg_catalog.record_image_eq(ROW(" + left + "), ROW(" + right + "))";
}

std::string new_value_of(const Retype& retype, Place place, const std::string& value) {
  const auto& step = retype.step;
  if (step.mapping == Mapping::kUsing && !step.using_sql.empty()) {
    // A default must not hold a subquery: the value itself takes the column's place.
    const std::string stand_in = "pgsluice_value";
    const auto token = quoted(stand_in);
    auto sql = retype.rename(step.using_sql, {{retype.graph.at(root_of(retype, place)).name, stand_in}});
    for (auto at = sql.find(token); at != std::string::npos; at = sql.find(token, at + value.size() + 2))
      sql.replace(at, token.size(), "(" + value + ")");
    return "(" + sql + "\n)";
  }
  return of_root(retype, place, value, "");
}

std::string old_value(const Retype& retype, Place place, const std::string& row) {
  const auto& column = retype.graph.at(place);
  const auto& step = retype.step;
  if (!is_back_by_value(step)) {
    const auto& parent = retype.graph.at(*column.refers_to);
    const auto found = looked_up(retype, place, old_name(parent.name), "NEW.");
    if (retype.graph.foreign_keys[static_cast<std::size_t>(column.through)].ref_table != place.table)
      return found;
    // A row that refers to itself does not exist yet.
    return "CASE WHEN NEW." + quoted(column.name) + " = NEW." + quoted(parent.name) + " THEN NEW." +
           quoted(old_name(parent.name)) + " ELSE " + found + " END";
  }
  const auto& root = retype.graph.at(root_of(retype, place)).name;
  if (!step.back_sql.empty()) return operators_own(retype, step.back_sql, root, column.name, row);
  if (column.backward.is_assignment) return row + quoted(column.name);
  return "((" + row + quoted(column.name) + ")::" + column.old_type_sql + ")";
}

std::string is_kept_by_old_value(const Retype& retype, Place place, const std::string& row) {
  const auto& step = retype.step;
  const auto& column = retype.graph.at(place);
  if (!step.using_sql.empty() || !step.back_sql.empty() || !column.backward.may_cut) return {};
  const auto value = row + quoted(column.name);
  const auto stored = "(" + value + ")::" + column.old_type_sql;
  const auto again = "((" + stored + ")::" + step.to + ")";
  return retype.graph.to.has_equality ? again + " IS NOT DISTINCT FROM " + value : is_identical(again, value);
}

std::string put_right_by_value(const Retype& retype, Place place) {
  const auto& column = retype.graph.at(place);
  const auto own = quoted(column.name);
  const auto old = quoted(old_name(column.name));
  if (!retype.step.using_sql.empty() || !retype.step.back_sql.empty()) return {};
  if (column.old_source.identity.starts_with("GENERATED ALWAYS")) return {};
  const auto value = old_value(retype, place, "");
  const auto is_kept = is_kept_by_old_value(retype, place, "");
  const auto set = is_kept.empty() ? value : "CASE WHEN " + is_kept + " THEN " + value + " END";
  const auto made = "(" + new_value_of(retype, place, old) + ")::" + retype.step.to;
  // Where the first test finds the value right, the second need not convert it.
  return "UPDATE " + retype.graph.table_of(place).sql() + " SET " + old + " = " + set + " WHERE CASE WHEN " +
         old + " IS NULL THEN false WHEN " + own + " IS NULL THEN true WHEN " + is_identical(own, made) +
         " THEN false ELSE NOT " + is_identical(old, "(" + value + ")::" + column.old_type_sql) + " END";
}

std::string put_right(const Retype& retype, Place place) {
  const auto& graph = retype.graph;
  const auto old = quoted(old_name(graph.at(place).name));
  const auto table = graph.table_of(place).sql();
  std::string from;
  std::string where;
  std::string child = "pgsluice_row";
  while (graph.at(place).refers_to) {
    const auto& key = graph.foreign_keys[static_cast<std::size_t>(graph.at(place).through)];
    place = *graph.at(place).refers_to;
    const auto parent = "pgsluice_parent" + std::to_string(graph.at(place).level);
    from += (from.empty() ? "" : ", ") + retype.table(key.ref_table).sql() + " AS " + parent;
    for (std::size_t i = 0; i < key.columns.size(); ++i)
      where +=
          parent + "." + quoted(key.ref_columns[i]) + " = " + child + "." + quoted(key.columns[i]) + " AND ";
    child = parent;
  }
  const auto value = child + "." + quoted(old_name(graph.at(place).name));
  return "UPDATE " + table + " AS pgsluice_row SET " + old + " = " + value + " FROM " + from + " WHERE " +
         where + "pgsluice_row." + old + " IS DISTINCT FROM " + value;
}

}  // namespace pgsluice::steps::retype
