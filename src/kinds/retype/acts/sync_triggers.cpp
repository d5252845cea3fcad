#include "kinds/retype/acts/sync_triggers.hpp"

#include <algorithm>

#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string new_row(const std::string& column) {
  return "NEW." + quoted(column);
}

/// True if the column changes to any other value, even an equal one: 1.0 for 1.00.
std::string is_changed(const std::string& name) {
  return "NOT " + is_identical(new_row(name), "OLD." + quoted(name));
}

Place place_of(const Retype& retype, const GraphTable& table, std::size_t column) {
  return {static_cast<int>(&table - retype.graph.tables.data()), static_cast<int>(column)};
}

/// Where a function looks up the names in its body, and with whose rights.
enum class Body {
  kPlain,      // every name is qualified
  kOperators,  // holds names from the operator, under the search_path of the run
  kLooksUp,    // reads a parent, or a sequence of ours
};

/// A look-up runs with its owner's rights, as the server's own foreign keys do: a role that may write a child
/// need not be allowed to read the parent. So such a function must never hold an expression from the
/// operator, nor a schema that others may write to.
std::string function_sql(const Retype& retype, const GraphTable& table, Body kind, const std::string& body) {
  std::string settings;
  if (kind == Body::kLooksUp) settings = " SECURITY DEFINER SET search_path = pg_catalog, pg_temp";
  if (kind == Body::kOperators) settings = " SET search_path = " + retype.search_path;
  return "CREATE FUNCTION " + sync_function(retype.owner, table) + "() RETURNS trigger LANGUAGE plpgsql" +
         settings + " AS " + pg::literal("BEGIN\n" + body + "  RETURN NEW;\nEND");
}

std::string trigger_sql(const Retype& retype, const GraphTable& table, const std::string& name,
                        const std::string& event, const std::string& when) {
  return "CREATE TRIGGER " + quoted(name) + " BEFORE " + event + " ON " + table.sql() + " FOR EACH ROW" +
         (when.empty() ? "" : " WHEN (" + when + ")") + " EXECUTE FUNCTION " +
         sync_function(retype.owner, table) + "()";
}

/// In every replication role: a restore or an apply process must not leave a shadow empty.
std::string always(const GraphTable& table, const std::string& name) {
  return "ALTER TABLE " + table.sql() + " ENABLE ALWAYS TRIGGER " + quoted(name);
}

std::string either(const std::vector<std::string>& conditions) {
  std::string out;
  for (const auto& condition : conditions) out += (out.empty() ? "" : " OR ") + condition;
  return out;
}

/// The function and its two triggers; `when` belongs to the one for UPDATE.
std::vector<std::string> install(const Retype& retype, const GraphTable& table, Body kind,
                                 const std::string& body, const std::string& when) {
  const auto insert = insert_trigger(retype.owner);
  const auto update = update_trigger(retype.owner);
  return {function_sql(retype, table, kind, body), trigger_sql(retype, table, insert, "INSERT", ""),
          trigger_sql(retype, table, update, "UPDATE", when), always(table, insert), always(table, update)};
}

/// True if a column of ours that was filled is changed directly: with a foreign key on either side the server
/// cascades to both, and the numbers in the names of its triggers decide which comes first.
std::string is_touched(const std::string& ours) {
  return "(OLD." + quoted(ours) + " IS NOT NULL AND " + is_changed(ours) + ")";
}

/// A reference of ours that is looked up, and again when `when` holds. If it is changed directly and its
/// parent is already gone, it stays as it was: the other side's cascade follows.
std::string looked_up_assignment(const std::string& ours, const std::string& when, const std::string& value) {
  return "  IF " + when + " THEN\n    " + new_row(ours) + " := " + value + ";\n  ELSIF " + is_touched(ours) +
         " THEN\n    " + new_row(ours) + " := coalesce(" + value + ", OLD." + quoted(ours) +
         ");\n  END IF;\n";
}

/// For an upsert of an existing row. A value that cannot be mapped was there before us and is left to the
/// fill, which names it, so that the row's other columns can still be written.
std::string spare_upserts(const Retype& retype, Place place) {
  const auto& table = retype.graph.table_of(place);
  const auto& column = retype.graph.at(place);
  const auto mine = new_row(new_name(column.name));
  std::string is_there = is_identical("pgsluice_row." + quoted(column.name), new_row(column.name));
  for (const auto& key : table.key) is_there += " AND pgsluice_row." + quoted(key) + " = " + new_row(key);
  return "    EXCEPTION WHEN OTHERS THEN\n      IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM " +
         table.sql() + " AS pgsluice_row WHERE " + is_there + ")\n        OR TG_OP = 'UPDATE' AND " +
         is_changed(column.name) + " THEN RAISE; END IF;\n      " + mine + " := NULL;\n";
}

/// A row that is not filled yet and changes its key: the fill walks along the key and may already be past the
/// new one.
std::string leaves_the_walk(const GraphTable& table, const GraphColumn& column) {
  std::vector<std::string> moved;
  for (const auto& key : table.key) moved.push_back(is_changed(key));
  if (moved.empty()) return {};
  return "(" + new_row(new_name(column.name)) + " IS NULL AND (" + either(moved) + "))";
}

/// The application's statement must not fail because of our column.
std::string left_empty(const std::string& mine) {
  return "    EXCEPTION WHEN OTHERS THEN " + mine + " := NULL;\n";
}

/// A column of ours that follows from another one of the same row. `on_failure`: an EXCEPTION clause for
/// values that cannot be mapped; `only_if`: where it does not hold, ours is NULL; `also`: a further condition
/// to map it.
std::string mapped_assignment(const GraphColumn& column, const std::string& ours, const std::string& value,
                              const std::string& on_failure, const std::string& only_if = {},
                              const std::string& also = {}) {
  const auto mine = new_row(ours);
  auto when = "TG_OP = 'INSERT' OR " + is_changed(column.name);
  if (!also.empty()) when += " OR " + also;
  if (column.refers_to) when += " OR " + is_touched(ours);
  auto set = "    " + mine + " := " + value + ";\n";
  if (!only_if.empty())
    set += "    IF NOT (" + only_if + ") THEN\n      " + mine + " := NULL;\n    END IF;\n";
  if (!on_failure.empty()) set = "    BEGIN\n" + set + on_failure + "    END;\n";
  return "  IF " + when + " THEN\n" + set + "  END IF;\n";
}

std::string refuse_cut(const Retype& retype, Place place) {
  const auto is_cut = cut_condition(retype, place, "NEW.");
  if (is_cut.empty()) return {};
  const auto& column = retype.graph.at(place);
  return "  IF (TG_OP = 'INSERT' OR " + is_changed(column.name) + ") AND " + is_cut +
         " THEN\n    RAISE EXCEPTION USING ERRCODE = 'data_exception', MESSAGE = " +
         pg::literal("column " + quoted(column.name) + " of table " + retype.graph.table_of(place).sql() +
                     " is becoming " + retype.step.to + ", which would cut or round this value") +
         ";\n  END IF;\n";
}

std::string forward_assignment(const Retype& retype, Place place) {
  const auto& column = retype.graph.at(place);
  const auto ours = new_name(column.name);
  const auto value = new_value(retype, place, "NEW.");
  // A value that the new type cannot take whole is refused here.
  if (is_by_value(retype.step)) {
    const bool is_spared = may_lack_new_value(retype, place) && !retype.graph.table_of(place).key.empty();
    return refuse_cut(retype, place) +
           mapped_assignment(column, ours, value, is_spared ? spare_upserts(retype, place) : "", {},
                             leaves_the_walk(retype.graph.table_of(place), column));
  }
  // Drawn once: a root keeps its new key, whatever happens to the old one.
  const auto shadow = new_row(ours);
  if (!column.refers_to) return "  " + shadow + " := coalesce(" + shadow + ", " + value + ");\n";
  return looked_up_assignment(
      ours, is_changed(column.name) + " OR (" + shadow + " IS NULL AND OLD." + quoted(ours) + " IS NULL)",
      value);
}

/// For every row that refers to what NEW refers to and has no old reference, if its root exists by now.
std::string late_update(const Retype& retype, Place place) {
  const auto own = "pgsluice_row." + quoted(retype.graph.at(place).name);
  const auto old = "pgsluice_row." + quoted(old_name(retype.graph.at(place).name));
  return "  " + put_right(retype, place) + " AND " + own + " = " + new_row(retype.graph.at(place).name) +
         " AND " + old + " IS NULL;\n";
}

/// A parent may be inserted after its child, in the same statement or under a deferred foreign key: what the
/// child's own trigger could not find is put right at COMMIT.
std::vector<std::string> late_sync(const Retype& retype, const GraphTable& table) {
  std::string body;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    if (!column.refers_to) continue;
    body += late_update(retype, place_of(retype, table, i));
    conditions.push_back("(" + new_row(column.name) + " IS NOT NULL AND " + new_row(old_name(column.name)) +
                         " IS NULL)");
  }
  if (body.empty()) return {};
  const auto function = late_function(retype.owner, table);
  return {"CREATE FUNCTION " + function + "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER" +
              " SET search_path = pg_catalog, pg_temp AS " +
              pg::literal("BEGIN\n" + body + "  RETURN NULL;\nEND"),
          "CREATE CONSTRAINT TRIGGER " + quoted(late_trigger(retype.owner)) + " AFTER INSERT OR UPDATE ON " +
              table.sql() + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (" + either(conditions) +
              ") EXECUTE FUNCTION " + function + "()",
          always(table, late_trigger(retype.owner))};
}

Body forward_body(const RetypeStep& step) {
  if (!is_by_value(step)) return Body::kLooksUp;
  return step.mapping == Mapping::kEmbed ? Body::kPlain : Body::kOperators;
}

/// The old key of a row to which the old column gives none; empty: it gives one.
std::string own_old_key(const Retype& retype, const GraphTable& table, const GraphColumn& column) {
  switch (old_keys_of(retype, column)) {
    case OldKeys::kFromOurSequence:
      return "pg_catalog.nextval(" + pg::literal(key_sequence(retype.owner, table, column)) + ")";
    case OldKeys::kTextOfNewKey:
      return new_row(column.name) + "::pg_catalog.text";
    case OldKeys::kGivenByColumn:
    case OldKeys::kNone:
      break;
  }
  return {};
}

}  // namespace

std::vector<std::string> sync_forward(const Retype& retype, const GraphTable& table) {
  std::string body;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    body += forward_assignment(retype, place_of(retype, table, i));
    const auto shadow = new_row(new_name(column.name));
    if (is_by_value(retype.step)) {
      // Rows that are not filled yet are left to the fill, which names the row of a value that it cannot map.
      conditions.push_back(is_changed(column.name));
      if (auto also = leaves_the_walk(table, column); !also.empty()) conditions.push_back(std::move(also));
    } else {
      conditions.push_back(column.is_not_null
                               ? shadow + " IS NULL"
                               : "(" + shadow + " IS NULL AND " + new_row(column.name) + " IS NOT NULL)");
      if (column.refers_to) conditions.push_back(is_changed(column.name));
    }
    if (column.refers_to) conditions.push_back(is_touched(new_name(column.name)));
  }
  return install(retype, table, forward_body(retype.step), body, either(conditions));
}

std::vector<std::string> sync_backward(const Retype& retype, const GraphTable& table) {
  std::string keys;  // first: a row may refer to itself
  std::string references;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const auto old = new_row(old_name(column.name));
    const auto place = place_of(retype, table, i);
    if (takes_key_from_old(retype, column)) {
      keys += "  IF TG_OP = 'INSERT' AND " + new_row(column.name) + " IS NULL THEN " + new_row(column.name) +
              " := " + new_value_of(retype, place, old) + "; END IF;\n";
      conditions.push_back(old + " IS NULL");
    }
    if (is_back_by_value(retype.step)) {
      references += mapped_assignment(column, old_name(column.name), old_value(retype, place, "NEW."),
                                      may_lack_old_value(retype, place) ? left_empty(old) : "",
                                      is_kept_by_old_value(retype, place, "NEW."));
      conditions.push_back(is_changed(column.name));
      if (column.refers_to) conditions.push_back(is_touched(old_name(column.name)));
    } else if (column.refers_to) {
      // Only when its value changes: a statement that touches other columns costs nothing.
      references +=
          looked_up_assignment(old_name(column.name), "TG_OP = 'INSERT' OR " + is_changed(column.name),
                               old_value(retype, place, "NEW."));
      conditions.push_back(is_changed(column.name));
      conditions.push_back(is_touched(old_name(column.name)));
    } else if (const auto value = own_old_key(retype, table, column); !value.empty()) {
      keys += "  " + old + " := coalesce(" + old + ", " + value + ");\n";
      conditions.push_back(old + " IS NULL");
    }
  }
  if (conditions.empty()) return {};
  const auto kind = is_back_by_value(retype.step) ? Body::kOperators : Body::kLooksUp;
  auto out = install(retype, table, kind, keys + references, either(conditions));
  if (!is_back_by_value(retype.step)) {
    for (auto& sql : late_sync(retype, table)) out.push_back(std::move(sql));
  }
  return out;
}

std::vector<std::string> drop_sync(const Retype& retype, const GraphTable& table) {
  const auto& owner = retype.owner;
  std::vector<std::string> out;
  for (const auto& trigger : {insert_trigger(owner), update_trigger(owner), late_trigger(owner)})
    out.push_back("DROP TRIGGER IF EXISTS " + quoted(trigger) + " ON " + table.sql());
  for (const auto& function : {sync_function(owner, table), late_function(owner, table)})
    out.push_back("DROP FUNCTION IF EXISTS " + function + "()");
  return out;
}

std::vector<std::string> sync_trigger_names(const Retype& retype, const GraphTable& table, bool is_cut_over) {
  const auto made = is_cut_over ? sync_backward(retype, table) : sync_forward(retype, table);
  std::vector<std::string> out;
  for (const auto& name :
       {insert_trigger(retype.owner), update_trigger(retype.owner), late_trigger(retype.owner)}) {
    if (std::find(made.begin(), made.end(), always(table, name)) != made.end()) out.push_back(name);
  }
  return out;
}

}  // namespace pgsluice::steps::retype
