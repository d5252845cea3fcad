#include "table/referrers.hpp"

#include <algorithm>
#include <set>

#include "job/sql/table_name.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "table/self_reference.hpp"

namespace pgsluice::engine {
namespace {

// A partition's copy of a foreign key stands for its parent's. An index serves if its first columns are those
// of the key, in any order, and it covers all rows.
constexpr const char* kReferrers = R"sql(
SELECT k.conname, n.nspname, c.relname, k.confdeltype,
       ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY place)::text[],
       ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY place)::text[],
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
                 AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey),
       NOT EXISTS (SELECT FROM (SELECT k.conrelid UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(k.conrelid) t) part(oid)
                   JOIN pg_catalog.pg_class pc ON pc.oid = part.oid AND pc.relkind = 'r' AND pg_catalog.pg_relation_size(pc.oid) > 0),
       k.conrelid
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = $1::oid
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint above WHERE above.oid = k.conparentid AND above.confrelid = k.confrelid)
ORDER BY k.conname
)sql";

constexpr const char* kNameOf =
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace WHERE c.oid = "
    "$1::oid";

OnDelete action_of(const std::string& code) {
  switch (code.empty() ? 'a' : code.front()) {
    case 'r':
      return OnDelete::kRestrict;
    case 'c':
      return OnDelete::kCascade;
    case 'n':
      return OnDelete::kSetNull;
    case 'd':
      return OnDelete::kSetDefault;
    default:
      return OnDelete::kNoAction;
  }
}

std::string in_words(const Referrer& referrer) {
  return referrer.table_sql + " (constraint " + pg::Identifier(referrer.constraint).sql() + ")";
}

}  // namespace

const char* Referrer::effect() const {
  switch (on_delete) {
    case OnDelete::kCascade:
      return "deletes the referring rows of";
    case OnDelete::kSetNull:
      return "sets NULL in the referring rows of";
    default:
      return "sets the default in the referring rows of";
  }
}

bool is_named(const TableName& table, const std::vector<TableName>& names) {
  return std::any_of(names.begin(), names.end(), [&](const TableName& name) {
    return name.name == table.name && (name.schema.empty() || name.schema == table.schema);
  });
}

std::vector<Referrer> read_referrers(pg::Session& session, std::uint32_t table_oid,
                                     const std::vector<TableName>& with) {
  std::vector<Referrer> out;
  std::set<std::int64_t> seen;
  std::vector<std::int64_t> reached{table_oid};
  for (std::size_t next = 0; next < reached.size(); ++next) {
    if (!seen.insert(reached[next]).second) continue;
    const pg::Params oid{std::to_string(reached[next])};
    const auto of = session.exec(kNameOf, oid);
    if (of.empty()) continue;
    const auto referenced = pg::Identifier(of.text(0, 0), of.text(0, 1)).sql();
    const auto rows = session.exec(kReferrers, oid);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Referrer one;
      one.constraint = rows.text(i, 0);
      one.table = {rows.text(i, 1), rows.text(i, 2)};
      one.table_sql = pg::Identifier(one.table.schema, one.table.name).sql();
      one.on_delete = action_of(rows.text(i, 3));
      one.columns = pg::from_array(rows.text(i, 4));
      one.referenced_sql = referenced;
      one.referenced_columns = pg::from_array(rows.text(i, 5));
      one.has_index = rows.boolean(i, 6);
      one.is_empty = rows.boolean(i, 7);
      if (one.on_delete == OnDelete::kCascade || is_named(one.table, with))
        reached.push_back(rows.integer(i, 8));
      out.push_back(std::move(one));
    }
  }
  return out;
}

std::vector<ReferrerProblem> referrer_problems(const PurgeStep& step,
                                               const std::vector<Referrer>& referrers) {
  std::vector<ReferrerProblem> out;
  for (const auto& name : step.with) {
    const bool is_itself = std::any_of(referrers.begin(), referrers.end(), [&](const Referrer& one) {
      return one.table_sql == referrers.front().referenced_sql && is_named(one.table, {name});
    });
    if (is_itself)
      out.push_back({"`with` names the purged table itself: rows would go that do not match `where`",
                     "leave it out; where its rows refer to one another, " +
                         std::string("let an earlier backfill step make them refer to nothing")});
    const bool refers = std::any_of(referrers.begin(), referrers.end(),
                                    [&](const Referrer& one) { return is_named(one.table, {name}); });
    if (!refers)
      out.push_back({"`with` names table " + job::written(name) + ", which does not refer to the purged rows",
                     "name tables whose foreign keys refer to them"});
  }
  for (const auto& one : referrers) {
    if (is_named(one.table, step.allowed_effects)) continue;
    const auto allow = "allow_effects_on = [\"" + one.table.schema + "." + one.table.name + "\"]";
    if (!one.has_index && !one.is_empty)
      out.push_back({"each deleted row makes the server read all of table " + in_words(one) +
                         ", because no index begins with its referring columns",
                     "CREATE INDEX CONCURRENTLY ON " + one.table_sql + " (" + pg::column_list(one.columns) +
                         "), or write " + allow});
    if (step.archive_to && (one.changes_rows() || is_named(one.table, step.with)))
      out.push_back({std::string("deleting a row ") +
                         (one.changes_rows() ? one.effect() : "deletes the referring rows of") + " " +
                         in_words(one) + ", which do not go to the archive",
                     (is_of_itself(one) ? refer_to_nothing(one)
                                        : "purge that table in an earlier step with an archive of its own") +
                         ", or write " + allow});
  }
  return out;
}

std::vector<std::string> referrer_deletes(const std::vector<Referrer>& referrers,
                                          const std::vector<TableName>& with, const std::string& table_sql,
                                          const std::string& root) {
  // The rows that go are locked by each statement: one that others change meanwhile must keep its referring
  // rows, and one that is locked still matches when it is deleted itself.
  std::string wanted;
  for (const auto& one : referrers) {
    if (one.referenced_sql != table_sql || !is_named(one.table, with)) continue;
    for (const auto& name : one.referenced_columns) {
      const auto column = pg::Identifier(name).sql();
      if (wanted.find(column) == std::string::npos) wanted += (wanted.empty() ? "" : ", ") + column;
    }
  }
  const auto going =
      "WITH \"pgsluice going\" AS MATERIALIZED (SELECT " + wanted + " " + root + "\nFOR UPDATE)\n";
  // Referrers come in the order in which tables are reached, so whoever refers to a table comes later.
  std::vector<std::pair<std::string, std::string>> selected{{table_sql, "FROM \"pgsluice going\""}};
  std::vector<std::string> out;
  for (const auto& one : referrers) {
    if (!is_named(one.table, with)) continue;
    const auto above = selected;  // a table may refer by two keys, also to two tables
    for (const auto& [table, from_where] : above) {
      if (table != one.referenced_sql) continue;
      const auto condition = "FROM " + one.table_sql + "\nWHERE (" + pg::column_list(one.columns) +
                             ") IN (SELECT " + pg::column_list(one.referenced_columns) + " " + from_where +
                             ")";
      selected.emplace_back(one.table_sql, condition);
      out.push_back(going + "DELETE " + condition);
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace pgsluice::engine
