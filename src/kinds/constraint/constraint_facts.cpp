#include "kinds/constraint/constraint_facts.hpp"

#include <algorithm>

#include "job/sql/table_name.hpp"
#include "kinds/constraint/read_constraint.hpp"
#include "kinds/index_build/asked_index.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kFound = R"sql(
SELECT c.contype, c.convalidated, c.confrelid = to_regclass(nullif($3, '')),
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.place),
       c.confdeltype, c.confupdtype, pg_get_expr(c.conbin, c.conrelid)
FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.conname = $2
)sql";

constexpr const char* kLeaves = R"sql(
SELECT t.relid::oid, n.nspname, c.relname
FROM pg_catalog.pg_partition_tree($1::oid) t
JOIN pg_catalog.pg_class c ON c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.isleaf AND c.relkind = 'r' ORDER BY 2, 3
)sql";

constexpr const char* kNotNull = R"sql(
SELECT attnotnull FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attname = $2 AND NOT attisdropped
)sql";

constexpr const char* kPartitionColumns = R"sql(
SELECT coalesce(bool_and(k.attnum <> 0 AND a.attname = ANY ($2::text[])), true)
FROM pg_catalog.pg_partitioned_table p CROSS JOIN unnest(p.partattrs::smallint[]) AS k (attnum)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
WHERE p.partrelid = $1::oid
)sql";

constexpr const char* kPrimaryKey = R"sql(
SELECT a.attname FROM pg_catalog.pg_index i CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY k.place
)sql";

constexpr const char* kVersion = "SELECT current_setting('server_version_num')::int";

std::string letter_of(const std::string& action) {
  if (action == "cascade") return "c";
  if (action == "restrict") return "r";
  if (action == "set null") return "n";
  return action == "set default" ? "d" : "a";
}

const char* type_of(const ConstraintStep& step, int server_version) {
  switch (step.constraint) {
    case Constraint::kNotNull:
      return server_version >= 180'000 ? "n" : "c";
    case Constraint::kCheck:
      return "c";
    case Constraint::kForeignKey:
      return "f";
    case Constraint::kUnique:
      return "u";
    case Constraint::kPrimaryKey:
      break;
  }
  return "p";
}

std::string condition_of(const ConstraintStep& step) {
  return step.constraint == Constraint::kNotNull ? pg::Identifier(step.columns.front()).sql() + " IS NOT NULL"
                                                 : step.check;
}

/// The condition as the server writes it: of a CHECK on an empty likeness that is rolled back.
std::string as_server_writes(pg::Session& session, const std::string& table_sql,
                             const std::string& condition) {
  return pg::in_transaction(session, {}, [&] {
    session.exec("SAVEPOINT pgsluice_probe");
    session.exec("CREATE TEMP TABLE pgsluice_probe (LIKE " + table_sql + ")");
    session.exec("ALTER TABLE pg_temp.pgsluice_probe ADD CONSTRAINT pgsluice_probe CHECK (" + condition +
                 "\n)");
    const auto text =
        session
            .exec(
                "SELECT pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint WHERE conrelid = "
                "'pg_temp.pgsluice_probe'::regclass AND conname = 'pgsluice_probe'")
            .text(0, 0);
    session.exec("ROLLBACK TO SAVEPOINT pgsluice_probe");
    return text;
  });
}

std::string difference(pg::Session& session, const ConstraintStep& step, const ConstraintFacts& facts,
                       const std::string& table_sql, const pg::Rows& found) {
  const auto wanted = std::string(type_of(step, facts.server_version));
  if (found.text(0, 0) != wanted) return "it is of another kind";
  if (wanted == "c") {
    const auto condition = as_server_writes(session, table_sql, condition_of(step));
    return found.text(0, 7) == condition ? "" : "it says " + found.text(0, 7) + ", the step " + condition;
  }
  if (pg::from_array(found.text(0, 3)) != step.columns) return "it is on other columns";
  if (wanted != "f") return "";
  if (!found.boolean(0, 2) || pg::from_array(found.text(0, 4)) != facts.referenced_columns)
    return "it refers to another key";
  const bool has_same_actions =
      found.text(0, 5) == letter_of(step.on_delete) && found.text(0, 6) == letter_of(step.on_update);
  return has_same_actions ? "" : "its ON DELETE or ON UPDATE is another one";
}

/// Throws Error(kRefused) for a valid index of that name that is another one.
bool has_fitting_index(pg::Session& session, const ConstraintStep& step, const ConstraintSide& side) {
  const auto asked = asked_index(key_index_sql(step, side));
  if (!asked) return false;
  const auto index_sql = index_sql_of(session, *asked);
  if (steps::index_state(session, index_sql, asked->table_sql) != steps::IndexState::kValid) return false;
  const auto other = steps::other_definition(session, index_sql, asked->table_sql, asked->wanted);
  if (other.empty()) return true;
  throw Error(
      ExitCode::kRefused,
      "index " + index_sql + " differs from the one that step \"" + step.name + "\" asks for: " + other,
      "drop it, or give the step's constraint another name: constraint_name = \"…\"");
}

ConstraintSide read_side(pg::Session& session, const ConstraintStep& step, const ConstraintFacts& facts,
                         ConstraintSide side) {
  const auto oid = std::to_string(side.oid);
  for (const auto& column : step.columns)
    side.is_not_null.push_back(session.exec(kNotNull, {oid, column}).boolean(0, 0));
  const auto found = session.exec(kFound, {oid, side.constraint_name, facts.references_sql});
  if (!found.empty())
    side.constraint = FoundConstraint{found.text(0, 0), found.boolean(0, 1),
                                      difference(session, step, facts, side.table_sql, found)};
  side.has_index = is_key(step) && !side.constraint && has_fitting_index(session, step, side);
  return side;
}

/// A leaf's own name where it cannot inherit the constraint's: short enough, and another one for each leaf.
std::string name_on_leaf(const ConstraintStep& step, const std::string& leaf, std::size_t number) {
  const bool is_inherited = step.constraint == Constraint::kNotNull || step.constraint == Constraint::kCheck;
  if (is_inherited || step.constraint == Constraint::kForeignKey) return step.constraint_name;
  const auto suffix = "_" + std::to_string(number + 1);
  const auto name = step.constraint_name + suffix;
  if (name.size() <= kConstraintNameBytesMost) return name;
  return leaf.substr(0, kConstraintNameBytesMost - 5 - suffix.size()) + "_uniq" + suffix;
}

void read_reference(pg::Session& session, const ConstraintStep& step, ConstraintFacts& facts) {
  const auto parent = pg::read_table(session, step.references);
  facts.references_sql = parent.sql();
  facts.is_reference_partitioned = parent.kind == "p";
  facts.referenced_columns = step.referenced_columns;
  if (!facts.referenced_columns.empty()) return;
  const auto key = session.exec(kPrimaryKey, {std::to_string(parent.oid)});
  for (std::size_t i = 0; i < key.size(); ++i) facts.referenced_columns.push_back(key.text(i, 0));
}

void refuse_unfit_table(pg::Session& session, const ConstraintStep& step, const pg::Table& table) {
  const auto of = "table \"" + table.schema + "." + table.name + "\"";
  if (table.kind != "r" && table.kind != "p")
    throw Error(ExitCode::kRefused, of + " is not an ordinary or partitioned table", "name another table");
  for (const auto& column : step.columns) {
    if (table.find(column)) continue;
    throw Error(ExitCode::kRefused, of + " has no column " + job::written(column), "check the name");
  }
  if (!is_key(step) || table.kind != "p") return;
  const auto covers =
      session.exec(kPartitionColumns, {std::to_string(table.oid), pg::to_array(step.columns)}).boolean(0, 0);
  if (!covers)
    throw Error(ExitCode::kRefused,
                "a key of partitioned " + of + " must have the columns that it is partitioned by",
                "add them to the key");
}

}  // namespace

bool is_key(const ConstraintStep& step) {
  return step.constraint == Constraint::kUnique || step.constraint == Constraint::kPrimaryKey;
}

ConstraintFacts read_constraint_facts(pg::Session& session, const ConstraintStep& step) {
  ConstraintFacts facts;
  facts.server_version = static_cast<int>(session.exec(kVersion).integer(0, 0));
  facts.table = pg::read_table(session, step.table);
  refuse_unfit_table(session, step, facts.table);
  if (step.constraint == Constraint::kForeignKey) read_reference(session, step, facts);
  facts.whole = read_side(session, step, facts,
                          {facts.table.oid, facts.table.sql(), step.constraint_name, {}, {}, false});
  facts.has_helper_check =
      step.constraint == Constraint::kPrimaryKey &&
      !session.exec(kFound, {std::to_string(facts.table.oid), helper_check(step), ""}).empty();
  if (facts.table.kind != "p") return facts;
  const auto leaves = session.exec(kLeaves, {std::to_string(facts.table.oid)});
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    facts.leaves.push_back(read_side(session, step, facts,
                                     {static_cast<std::uint32_t>(leaves.integer(i, 0)),
                                      pg::Identifier(leaves.text(i, 1), leaves.text(i, 2)).sql(),
                                      name_on_leaf(step, leaves.text(i, 2), i),
                                      {},
                                      {},
                                      false}));
  }
  return facts;
}

void refuse_other_constraint(const ConstraintStep& step, const ConstraintFacts& facts) {
  const auto refuse = [&](const ConstraintSide& side) {
    if (!side.constraint || side.constraint->differs.empty()) return;
    throw Error(ExitCode::kRefused,
                "constraint " + pg::Identifier(side.constraint_name).sql() + " of table " + side.table_sql +
                    " is not the one that step \"" + step.name + "\" asks for: " + side.constraint->differs,
                "drop it, or give the step's another name: constraint_name = \"…\"");
  };
  refuse(facts.whole);
  for (const auto& leaf : facts.leaves) refuse(leaf);
}

std::string helper_check(const ConstraintStep& step) {
  const std::string suffix = "_not_null";
  return step.constraint_name.substr(0, kConstraintNameBytesMost - suffix.size()) + suffix;
}

std::string key_index_sql(const ConstraintStep& step, const ConstraintSide& side) {
  return "CREATE UNIQUE INDEX CONCURRENTLY " + pg::Identifier(side.constraint_name).sql() + " ON " +
         side.table_sql + " (" + pg::column_list(step.columns) + ")";
}

std::string constraint_clause(const ConstraintStep& step, const ConstraintFacts& facts,
                              const std::string& name) {
  const auto head = "CONSTRAINT " + pg::Identifier(name).sql() + " ";
  switch (step.constraint) {
    case Constraint::kNotNull:
      if (facts.server_version >= 180'000) return head + "NOT NULL " + pg::column_list(step.columns);
      [[fallthrough]];
    case Constraint::kCheck:
      return head + "CHECK (" + condition_of(step) + (step.check.empty() ? ")" : "\n)");
    case Constraint::kUnique:
      return head + "UNIQUE (" + pg::column_list(step.columns) + ")";
    case Constraint::kPrimaryKey:
      return head + "PRIMARY KEY (" + pg::column_list(step.columns) + ")";
    case Constraint::kForeignKey:
      break;
  }
  return head + "FOREIGN KEY (" + pg::column_list(step.columns) + ") REFERENCES " + facts.references_sql +
         " (" + pg::column_list(facts.referenced_columns) + ")" +
         (step.on_delete.empty() ? "" : " ON DELETE " + step.on_delete) +
         (step.on_update.empty() ? "" : " ON UPDATE " + step.on_update);
}

}  // namespace pgsluice::engine
