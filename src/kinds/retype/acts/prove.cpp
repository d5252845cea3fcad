// The proof of every row and the foreign keys: from the indexes to "ready for cut-over", and before the way
// back.

#include <map>

#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/missing_values.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string alter(const GraphTable& table, const std::vector<std::string>& changes) {
  std::string sql = "ALTER TABLE " + table.sql() + " ";
  for (std::size_t i = 0; i < changes.size(); ++i) sql += (i ? ", " : "") + changes[i];
  return sql;
}

std::string add_check(const std::string& name, const std::string& condition) {
  return "ADD CONSTRAINT " + quoted(name) + " CHECK (" + condition + ") NOT VALID";
}

/// What must hold between a column and its shadow in every row.
std::string map_condition(const Retype& retype, Place place) {
  const auto& column = retype.graph.at(place);
  const auto shadow = quoted(new_name(column.name));
  // A CHECK cannot read other tables. It can still prove that no reference was left out, and the foreign key,
  // which ignores NULL, proves the rest.
  if (!is_by_value(retype.step)) return "(" + quoted(column.name) + " IS NULL) = (" + shadow + " IS NULL)";
  // Triggers made by an older program leave alone what is equal.
  if (retype.owner.is_named_by_step)
    return shadow + " IS NOT DISTINCT FROM " + new_value_exactly(retype, place);
  const auto is_cut = cut_condition(retype, place, "");
  return is_identical(shadow, new_value_exactly(retype, place)) +
         (is_cut.empty() ? "" : " AND NOT (" + is_cut + ")");
}

struct Checks {
  std::vector<std::string> add, validate, finish;
};

Checks checks_of(const Retype& retype, int number) {
  Checks out;
  const auto& table = retype.table(number);
  const auto prove = [&](const std::string& name, const std::string& condition) {
    out.add.push_back(add_check(name, condition));
    out.validate.push_back("VALIDATE CONSTRAINT " + quoted(name));
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const Place place{number, static_cast<int>(i)};
    prove(map_check(column.name), map_condition(retype, place));
    if (!column.is_not_null || column.is_not_null_late) continue;
    prove(filled_check(column.name), quoted(new_name(column.name)) + " IS NOT NULL");
    out.finish.push_back("ALTER COLUMN " + quoted(new_name(column.name)) + " SET NOT NULL");
    out.finish.push_back("DROP CONSTRAINT " + quoted(filled_check(column.name)));
  }
  for (const auto& check : table.checks) {
    if (check.is_late) continue;
    out.add.push_back(add_check(new_name(check.name), check_twin_expression(retype, table, check, new_name)));
    if (check.is_validated) out.validate.push_back("VALIDATE CONSTRAINT " + quoted(new_name(check.name)));
  }
  return out;
}

Act ddl(std::string name, std::string part, std::string sql) {
  return {std::move(name), std::move(part), Act::Kind::kDdl, {std::move(sql)}, {}};
}

std::vector<std::string> defaults_of(const Retype& retype, int number) {
  std::vector<std::string> out;
  const auto& table = retype.table(number);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto shadow = quoted(new_name(table.columns[i].name));
    if (const auto value = new_default(retype, {number, static_cast<int>(i)}); !value.empty())
      out.push_back("ALTER COLUMN " + shadow + " SET DEFAULT " + value);
    else if (retype.graph.to.is_domain)  // from now on the domain's own applies
      out.push_back("ALTER COLUMN " + shadow + " DROP DEFAULT");
  }
  return out;
}

/// For CHECKs that were added to the table after its checks had been added here.
void add_late_checks(const Retype& retype, const GraphTable& table, std::vector<Act>& acts) {
  for (const auto& check : table.checks) {
    if (!check.is_late) continue;
    const auto twin = quoted(new_name(check.name));
    const auto of = twin + " of " + table.sql();
    acts.push_back(ddl("add the late CHECK " + of, "prove",
                       alter(table, {"DROP CONSTRAINT IF EXISTS " + twin,
                                     add_check(new_name(check.name),
                                               check_twin_expression(retype, table, check, new_name))})));
    if (check.is_validated)
      acts.push_back(
          ddl("validate the late CHECK " + of, "prove", alter(table, {"VALIDATE CONSTRAINT " + twin})));
  }
}

/// For NOT NULL that was set after the table's checks had been added here: it is proved separately.
std::vector<Act> late_not_null_acts(const GraphTable& table) {
  std::vector<Act> acts;
  for (const auto& column : table.columns) {
    if (!column.is_not_null_late) continue;
    const auto shadow = quoted(new_name(column.name));
    const auto check = quoted(filled_check(column.name));
    const auto of = shadow + " of " + table.sql();
    acts.push_back(ddl("add the late NOT NULL of " + of, "prove",
                       alter(table, {"DROP CONSTRAINT IF EXISTS " + check,
                                     add_check(filled_check(column.name), shadow + " IS NOT NULL")})));
    acts.push_back(
        ddl("validate the late NOT NULL of " + of, "prove", alter(table, {"VALIDATE CONSTRAINT " + check})));
    acts.push_back(
        ddl("finish the late NOT NULL of " + of, "prove",
            alter(table, {"ALTER COLUMN " + shadow + " SET NOT NULL", "DROP CONSTRAINT " + check})));
  }
  return acts;
}

/// Before server 18 a partitioned table takes no foreign key that is NOT VALID. Its partitions do, and the
/// parent's key finds theirs proved and takes them over without reading a row.
void add_foreign_keys(const Retype& retype, const Naming& naming, const std::string& part,
                      std::vector<Act>& acts) {
  const auto add = [&](const GraphForeignKey& key, const std::string& on, const std::string& own_name) {
    const auto name = naming(own_name);
    acts.push_back(ddl("add foreign key " + quoted(name) + " to " + on, part,
                       foreign_key_twin_sql(retype, key, on, name, naming) + " NOT VALID"));
    if (!key.is_validated) return;
    acts.push_back(ddl("validate foreign key " + quoted(name) + " of " + on, part,
                       "ALTER TABLE " + on + " VALIDATE CONSTRAINT " + quoted(name)));
  };
  for (const auto& key : retype.graph.foreign_keys) {
    const auto& table = retype.table(key.table);
    if (table.kind != "p") {
      add(key, table.sql(), key.name);
      continue;
    }
    for (std::size_t i = 0; i < table.partitions.size(); ++i) {
      if (!is_joined(key, i, naming)) add(key, table.partitions[i].sql(), key.of_partitions[i]);
    }
    const auto name = naming(key.name);
    acts.push_back(ddl("join foreign key " + quoted(name) + " of " + table.sql(), part,
                       foreign_key_twin_sql(retype, key, table.sql(), name, naming)));
  }
}

/// A parent that was deleted and inserted again has another old key than its children remember, and an apply
/// process may have inserted a child long before its parent.
std::vector<Act> put_right_acts(const Retype& retype) {
  std::map<int, std::vector<Act>> by_level;  // parents first: one of our triggers reads them
  for (std::size_t t = 0; t < retype.graph.tables.size(); ++t) {
    const auto& table = retype.graph.tables[t];
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (!column.refers_to) continue;
      const Place place{static_cast<int>(t), static_cast<int>(i)};
      by_level[column.level].push_back(
          ddl("put " + quoted(old_name(column.name)) + " of " + table.sql() + " right", "way back",
              put_right(retype, place)));
    }
  }
  std::vector<Act> acts;
  for (auto& [level, some] : by_level) {
    for (auto& act : some) acts.push_back(std::move(act));
  }
  return acts;
}

void put_table_right(const Retype& retype, const GraphTable& table, std::vector<Act>& acts) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Place place{static_cast<int>(&table - retype.graph.tables.data()), static_cast<int>(i)};
    if (auto sql = put_right_by_value(retype, place); !sql.empty())
      acts.push_back(ddl("put " + quoted(old_name(table.columns[i].name)) + " of " + table.sql() + " right",
                         "way back", std::move(sql)));
  }
}

}  // namespace

std::vector<Act> check_acts(const Retype& retype) {
  std::vector<Act> acts;
  for (std::size_t i = 0; i < retype.graph.tables.size(); ++i) {
    const auto& table = retype.graph.tables[i];
    auto checks = checks_of(retype, static_cast<int>(i));
    acts.push_back(ddl("add checks to " + table.sql(), "prove", alter(table, checks.add)));
    acts.push_back(ddl("validate checks of " + table.sql(), "prove", alter(table, checks.validate)));
    for (auto& change : defaults_of(retype, static_cast<int>(i))) checks.finish.push_back(std::move(change));
    for (const auto& sequence : sequences_to_widen(retype, table))
      acts.push_back(ddl("widen sequence " + sequence, "prove", "ALTER SEQUENCE " + sequence + " AS bigint"));
    if (!checks.finish.empty())
      acts.push_back(ddl("finish columns of " + table.sql(), "prove", alter(table, checks.finish)));
    for (auto& act : late_not_null_acts(table)) acts.push_back(std::move(act));
    add_late_checks(retype, table, acts);
  }
  return acts;
}

std::vector<Act> foreign_key_acts(const Retype& retype) {
  std::vector<Act> acts;
  add_foreign_keys(retype, new_name, "constrain", acts);
  for (const auto& table : retype.graph.tables) {
    acts.push_back(
        {"analyze " + table.sql(), "constrain", Act::Kind::kVacuum, {"ANALYZE " + table.sql()}, {}});
  }
  return acts;
}

std::vector<Act> acts_before_cutover(const Retype& retype) {
  std::vector<Act> acts;
  for (auto* piece : {expand_acts, fill_acts, missing_value_acts, index_acts, check_acts, foreign_key_acts}) {
    for (auto& act : piece(retype)) acts.push_back(std::move(act));
  }
  return acts;
}

std::vector<Act> acts_before_way_back(const Retype& retype) {
  std::vector<Act> acts;
  if (!is_back_by_value(retype.step)) acts = put_right_acts(retype);
  for (const auto& table : retype.graph.tables) {
    if (is_back_by_value(retype.step)) put_table_right(retype, table, acts);
    if (auto look = look_for_missing_old_values(retype, table); !look.empty())
      acts.push_back(
          ddl("look for rows of " + table.sql() + " without an old value", "way back", std::move(look)));
    std::vector<std::string> add;
    std::vector<std::string> validate;
    for (const auto& column : table.columns) {
      if (!is_loosened(retype, table, column) && !is_tightened(column)) continue;
      // The operator's own expression may leave some values without a partner.
      const bool is_said = !retype.step.back_sql.empty() || !retype.step.using_sql.empty();
      if (!column.is_not_null && is_said) continue;
      const auto old = quoted(old_name(column.name));
      add.push_back("DROP CONSTRAINT IF EXISTS " + quoted(map_check(column.name)));
      add.push_back(add_check(map_check(column.name),
                              column.is_not_null
                                  ? old + " IS NOT NULL"
                                  : "(" + quoted(column.name) + " IS NULL) = (" + old + " IS NULL)"));
      validate.push_back("VALIDATE CONSTRAINT " + quoted(map_check(column.name)));
    }
    for (const auto& check : table.checks) {
      add.push_back("DROP CONSTRAINT IF EXISTS " + quoted(old_name(check.name)));
      add.push_back(add_check(old_name(check.name), check_twin_expression(retype, table, check, old_name)));
      if (check.is_validated) validate.push_back("VALIDATE CONSTRAINT " + quoted(old_name(check.name)));
    }
    if (add.empty()) continue;
    acts.push_back(ddl("prove the old columns of " + table.sql(), "way back", alter(table, add)));
    acts.push_back(ddl("validate the old columns of " + table.sql(), "way back", alter(table, validate)));
  }
  add_foreign_keys(retype, old_name, "way back", acts);
  return acts;
}

}  // namespace pgsluice::steps::retype
