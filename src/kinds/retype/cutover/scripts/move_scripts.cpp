#include "kinds/retype/cutover/scripts/move_scripts.hpp"

#include <algorithm>
#include <set>

#include "kinds/retype/acts/sync_triggers.hpp"
#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/key_sources.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// Collects the statements of one move. Each object now named `x` becomes `leaving(x)`, and `coming(x)`
/// becomes `x`.
class ScriptBuilder {
 public:
  ScriptBuilder(const Retype& retype, Naming coming, Naming leaving)
      : retype_(retype), coming_(std::move(coming)), leaving_(std::move(leaving)) {}

  void drop_bound(const std::vector<BoundObject>& bound) {
    for (const auto& object : bound) append(object.drop);
  }
  void create_bound(const std::vector<BoundObject>& bound) {
    for (auto object = bound.rbegin(); object != bound.rend(); ++object) append(object->create);
  }

  /// Before the primary keys, whose indexes they depend on.
  void drop_foreign_keys() {
    for (const auto& key : retype_.graph.foreign_keys)
      alter(retype_.table(key.table), "DROP CONSTRAINT " + quoted(key.name));
  }
  void rename_foreign_keys() {
    for (const auto& key : retype_.graph.foreign_keys) {
      const auto& table = retype_.table(key.table);
      rename_constraint(table.sql(), coming_(key.name), key.name);
      for (std::size_t i = 0; i < table.partitions.size(); ++i)
        rename_constraint(table.partitions[i].sql(), part_name(key, i, coming_), key.of_partitions[i]);
      comment("CONSTRAINT " + quoted(key.name) + " ON " + table.sql(), key.comment);
    }
  }

  void drop_map_checks() {
    for (const auto& table : retype_.graph.tables) {
      for (const auto& column : table.columns)
        alter(table, "DROP CONSTRAINT " + quoted(map_check(column.name)));
    }
  }
  void drop_way_back_checks() {
    for (const auto& table : retype_.graph.tables) {
      for (const auto& column : table.columns) {
        if (is_loosened(retype_, table, column) || is_tightened(column))
          alter(table, "DROP CONSTRAINT IF EXISTS " + quoted(map_check(column.name)));
      }
    }
  }

  void exchange_names(const GraphTable& table) {
    for (const auto& index : table.indexes) clear_name(table, index);
    for (const auto& check : table.checks) alter(table, "DROP CONSTRAINT " + quoted(check.name));
    for (const auto& column : table.columns) {
      rename_column(table, column.name, leaving_(column.name));
      rename_column(table, coming_(column.name), column.name);
    }
    for (const auto& check : table.checks) {
      rename_constraint(table.sql(), coming_(check.name), check.name);
      comment("CONSTRAINT " + quoted(check.name) + " ON " + table.sql(), check.comment);
    }
  }

  /// The coming indexes take their place. `are_constraints`: coming unique indexes are constraints already.
  void promote_indexes(const GraphTable& table, bool are_constraints) {
    for (const auto& index : table.indexes) {
      if (index.constraint_type.empty()) {
        rename_index(table, index, coming_, [](const std::string& name) { return name; });
        comment("INDEX " + pg::Identifier(table.schema, index.name).sql(), index.comment);
        continue;
      }
      if (are_constraints && !is_primary(index)) {
        rename_key(table, index, coming_, [](const std::string& name) { return name; });
      } else {
        make_key(table, index);
      }
      comment("CONSTRAINT " + quoted(index.name) + " ON " + table.sql(), index.comment);
    }
  }

  void alter(const GraphTable& table, const std::string& change) {
    run("ALTER TABLE " + table.sql() + " " + change);
  }
  void append(const std::vector<std::string>& statements) {
    out_.insert(out_.end(), statements.begin(), statements.end());
  }
  void run(std::string sql) { out_.push_back(std::move(sql)); }

  std::vector<std::string> take() && { return std::move(out_); }

 private:
  /// Drops a primary key's constraint, as there can be only one, and renames the others.
  void clear_name(const GraphTable& table, const GraphIndex& index) {
    const auto as_it_is = [](const std::string& name) { return name; };
    if (is_primary(index)) {
      alter(table, "DROP CONSTRAINT " + quoted(index.name));
    } else if (!index.constraint_type.empty()) {
      rename_key(table, index, as_it_is, leaving_);
    } else {
      rename_index(table, index, as_it_is, leaving_);
    }
  }

  /// PRIMARY KEY or UNIQUE over the coming index. A partitioned table's constraint takes over those of its
  /// partitions.
  void make_key(const GraphTable& table, const GraphIndex& index) {
    const std::string kind = is_primary(index) ? " PRIMARY KEY" : " UNIQUE";
    const std::string deferred = !index.is_deferrable ? ""
                                 : index.is_deferred  ? " DEFERRABLE INITIALLY DEFERRED"
                                                      : " DEFERRABLE";
    const auto add = [&](const std::string& on, const std::string& name, const std::string& what) {
      run("ALTER TABLE " + on + " ADD CONSTRAINT " + quoted(name) + kind + what + deferred);
    };
    for (std::size_t i = 0; i < table.partitions.size(); ++i) {
      const auto& name = index.of_partitions[i];
      add(table.partitions[i].sql(), name, " USING INDEX " + quoted(coming_(name)));
    }
    if (table.kind != "p") return add(table.sql(), index.name, " USING INDEX " + quoted(coming_(index.name)));
    std::vector<std::string> keys;
    std::vector<std::string> included;
    for (std::size_t i = 0; i < index.parts.size(); ++i)
      (static_cast<int>(i) < index.key_parts ? keys : included).push_back(index.parts[i].sql);
    add(table.sql(), index.name,
        " (" + pg::column_list(keys) + ")" +
            (included.empty() ? "" : " INCLUDE (" + pg::column_list(included) + ")"));
  }

  void rename_index(const GraphTable& table, const GraphIndex& index, const Naming& from, const Naming& to) {
    const auto rename = [&](const std::string& schema, const std::string& now, const std::string& then) {
      run("ALTER INDEX " + pg::Identifier(schema, now).sql() + " RENAME TO " + quoted(then));
    };
    rename(table.schema, from(index.name), to(index.name));
    for (std::size_t i = 0; i < table.partitions.size(); ++i)
      rename(table.partitions[i].schema, part_name(index, i, from), to(index.of_partitions[i]));
  }

  void rename_key(const GraphTable& table, const GraphIndex& index, const Naming& from, const Naming& to) {
    rename_constraint(table.sql(), from(index.name), to(index.name));
    for (std::size_t i = 0; i < table.partitions.size(); ++i)
      rename_constraint(table.partitions[i].sql(), part_name(index, i, from), to(index.of_partitions[i]));
  }

  void rename_constraint(const std::string& on, const std::string& from, const std::string& to) {
    run("ALTER TABLE " + on + " RENAME CONSTRAINT " + quoted(from) + " TO " + quoted(to));
  }
  void rename_column(const GraphTable& table, const std::string& from, const std::string& to) {
    alter(table, "RENAME COLUMN " + quoted(from) + " TO " + quoted(to));
  }
  void comment(const std::string& on, const std::string& text) {
    if (!text.empty()) run("COMMENT ON " + on + " IS " + pg::literal(text));
  }

  const Retype& retype_;
  Naming coming_;
  Naming leaving_;
  std::vector<std::string> out_;
};

/// An old reference is filled by a look-up that may come late, and a new value may have no old one: NOT NULL
/// would refuse the application's row. The way back proves it again.
void loosen_old_columns(const Retype& retype, const GraphTable& table, ScriptBuilder& script) {
  for (const auto& column : table.columns) {
    if (column.is_not_null && is_loosened(retype, table, column))
      script.alter(table, "ALTER COLUMN " + quoted(old_name(column.name)) + " DROP NOT NULL");
  }
}

/// NOT NULL as the column has it now: it may have been changed since the cut-over.
void tighten_old_columns(const GraphTable& table, ScriptBuilder& script) {
  for (const auto& column : table.columns) {
    if (column.is_not_null == column.old_is_not_null) continue;
    script.alter(table, "ALTER COLUMN " + quoted(column.name) +
                            (column.is_not_null ? " SET NOT NULL" : " DROP NOT NULL"));
  }
}

/// The same for the new columns, with the default that the old one has now: both may have been changed since
/// the new columns were finished.
void follow_old_columns(const Retype& retype, const GraphTable& table, ScriptBuilder& script) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    const auto shadow = "ALTER COLUMN " + quoted(new_name(column.name));
    const Place place{static_cast<int>(&table - retype.graph.tables.data()), static_cast<int>(i)};
    const auto value = new_default(retype, place);
    script.alter(table, shadow + (value.empty() ? " DROP DEFAULT" : " SET DEFAULT " + value));
    if (!column.is_not_null) script.alter(table, shadow + " DROP NOT NULL");
  }
}

void drop_columns(const Retype& retype, const Naming& naming, ScriptBuilder& script) {
  for (const auto& table : retype.graph.tables) {
    std::string changes;
    for (const auto& column : table.columns)
      changes += (changes.empty() ? "" : ", ") + ("DROP COLUMN IF EXISTS " + quoted(naming(column.name)));
    script.alter(table, changes);
  }
}

/// The indexes that would have kept the old primary key usable.
void drop_key_copies(const GraphTable& table, const GraphIndex& index, ScriptBuilder& script) {
  if (table.kind != "p")
    script.run("DROP INDEX IF EXISTS " + pg::Identifier(table.schema, old_name(index.name)).sql());
  for (std::size_t i = 0; i < table.partitions.size(); ++i) {
    script.run("DROP INDEX IF EXISTS " +
               pg::Identifier(table.partitions[i].schema, old_name(index.of_partitions[i])).sql());
  }
}

/// Foreign keys over the columns to be dropped: while they exist, their parents' columns cannot be dropped.
void drop_twin_keys(const Retype& retype, const Naming& naming, ScriptBuilder& script) {
  for (const auto& key : retype.graph.foreign_keys) {
    const auto& table = retype.table(key.table);
    script.alter(table, "DROP CONSTRAINT IF EXISTS " + quoted(naming(key.name)));
    for (std::size_t i = 0; i < table.partitions.size(); ++i) {
      script.run("ALTER TABLE " + table.partitions[i].sql() + " DROP CONSTRAINT IF EXISTS " +
                 quoted(naming(key.of_partitions[i])));
    }
  }
}

void drop_sync_everywhere(const Retype& retype, ScriptBuilder& script) {
  for (const auto& table : retype.graph.tables) script.append(drop_sync(retype, table));
}

MoveScript with_locks(std::vector<std::string> statements, const std::vector<BoundObject>& bound) {
  MoveScript script{std::move(statements), {}, {}};
  for (const auto& object : bound) {
    if (!object.lock.empty()) {
      script.view_locks.push_back(object.lock);
    } else if (!object.locked.empty()) {
      script.also_locked.push_back(object.locked);
    }
  }
  return script;
}

}  // namespace

std::string MoveScript::sql() const {
  std::string sql;
  for (const auto& statement : statements) sql += statement + ";\n";
  return sql;
}

std::string lock_list(const Graph& graph, const std::vector<std::string>& others) {
  std::vector<std::string> names;
  for (const auto& table : graph.tables) names.push_back(table.sql());
  names.insert(names.end(), others.begin(), others.end());
  std::string list;
  std::set<std::string> seen;
  for (const auto& name : names) {
    if (seen.insert(name).second) list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

std::vector<BoundObject> bound_objects(pg::Session& session, const Graph& graph) {
  std::vector<ColumnPlace> places;
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns) {
      places.push_back({table.oid, table.sql(), column.attnum, column.name});
      for (std::size_t i = 0; i < table.partitions.size(); ++i) {
        const auto& partition = table.partitions[i];
        places.push_back({partition.oid, partition.sql(), column.of_partitions[i], column.name});
      }
    }
  }
  return read_bound_objects(session, places);
}

MoveScript cutover_script(const Retype& retype, const std::vector<BoundObject>& bound) {
  ScriptBuilder script(retype, new_name, old_name);
  script.drop_bound(bound);
  script.drop_foreign_keys();
  drop_sync_everywhere(retype, script);
  script.drop_map_checks();
  for (const auto& table : retype.graph.tables) {
    follow_old_columns(retype, table, script);
    script.exchange_names(table);
  }
  for (const auto& table : retype.graph.tables) script.promote_indexes(table, false);
  script.rename_foreign_keys();
  for (const auto& table : retype.graph.tables) {
    script.append(hand_over_sources(retype, table));
    loosen_old_columns(retype, table, script);
    script.append(sync_backward(retype, table));
  }
  script.create_bound(bound);
  return with_locks(std::move(script).take(), bound);
}

MoveScript way_back_script(const Retype& retype, const std::vector<BoundObject>& bound) {
  ScriptBuilder script(retype, old_name, new_name);
  script.drop_bound(bound);
  script.drop_foreign_keys();
  drop_sync_everywhere(retype, script);
  for (const auto& table : retype.graph.tables) script.exchange_names(table);
  for (const auto& table : retype.graph.tables) {
    tighten_old_columns(table, script);
    script.promote_indexes(table, true);
  }
  script.rename_foreign_keys();
  script.drop_way_back_checks();
  script.create_bound(bound);
  for (const auto& table : retype.graph.tables) script.append(take_back_sources(retype, table));
  drop_columns(retype, new_name, script);
  return with_locks(std::move(script).take(), bound);
}

MoveScript abandon_script(const Retype& retype) {
  ScriptBuilder script(retype, new_name, old_name);
  drop_sync_everywhere(retype, script);
  drop_twin_keys(retype, new_name, script);
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) {
      if (is_primary(index)) drop_key_copies(table, index, script);
    }
  }
  drop_columns(retype, new_name, script);
  return {std::move(script).take(), {}, {}};
}

MoveScript contract_script(const Retype& retype) {
  ScriptBuilder script(retype, old_name, new_name);
  drop_sync_everywhere(retype, script);
  drop_twin_keys(retype, old_name, script);  // from a way back that was begun
  for (const auto& table : retype.graph.tables) script.append(settle_sources(retype, table));
  drop_columns(retype, old_name, script);
  return {std::move(script).take(), {}, {}};
}

}  // namespace pgsluice::steps::retype
