#include "table/follow/follow_facts.hpp"

#include <algorithm>
#include <set>

#include "pg/catalog/privileges.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/copy/table_order.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kIsInherited =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE $1::oid IN (inhparent, inhrelid))";

constexpr const char* kIsUnlogged =
    "SELECT relpersistence = 'u' FROM pg_catalog.pg_class WHERE oid = $1::oid";

constexpr const char* kAlways = R"sql(
SELECT attname FROM pg_catalog.pg_attribute
WHERE attrelid = $1::oid AND attidentity = 'a' AND NOT attisdropped AND attname <> ALL ($2::name[])
)sql";

// 'a' is NO ACTION: it only looks, at the end of the statement.
constexpr const char* kReferences = R"sql(
SELECT pg_catalog.quote_ident(c.conname) || ' of ' || c.conrelid::regclass::text FROM pg_catalog.pg_constraint c
WHERE c.confrelid = $1::oid AND c.contype = 'f' AND c.confdeltype <> 'a' ORDER BY 1 LIMIT 1
)sql";

constexpr const char* kParents = R"sql(
SELECT n.nspname, r.relname,
  (SELECT array_agg(a.attname ORDER BY k.number) FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, number)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
  (SELECT array_agg(a.attname ORDER BY k.number) FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, number)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE c.conrelid = $1::oid AND c.contype = 'f' AND c.conparentid = 0 ORDER BY c.oid
)sql";

/// Only those whose columns are all copied: the others refer by their defaults.
std::vector<CopiedReference> read_references(pg::Session& target, const Copying& copying) {
  std::vector<CopiedReference> out;
  const auto rows = target.exec(kParents, {std::to_string(copying.to.oid)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CopiedReference one{pg::from_array(rows.text(i, 2)),
                        pg::Identifier(rows.text(i, 0), rows.text(i, 1)).sql(),
                        pg::from_array(rows.text(i, 3))};
    const bool is_copied = std::all_of(one.columns.begin(), one.columns.end(), [&](const std::string& name) {
      return std::any_of(copying.columns.begin(), copying.columns.end(),
                         [&](const CopiedColumn& column) { return column.name == name; });
    });
    if (is_copied) out.push_back(std::move(one));
  }
  return out;
}

void refuse_unfit_source(pg::Session& source, const Copying& copying) {
  const auto subject = copying.source_in_words() + " cannot be followed: ";
  if (copying.from.kind != "r" || source.exec(kIsInherited, {std::to_string(copying.from.oid)}).boolean(0, 0))
    throw Error(ExitCode::kRefused,
                subject + "partitions and inheritance let rows come and go without a trigger",
                "copy it without `follow`, while the application does not write to it");
  if (copying.from.is_temporary)
    throw Error(ExitCode::kRefused, subject + "it is a temporary table", "name a permanent one");
  if (source.exec(kIsUnlogged, {std::to_string(copying.from.oid)}).boolean(0, 0))
    throw Error(ExitCode::kRefused, subject + "it is unlogged, and a crash would empty it unnoticed",
                "ALTER TABLE … SET LOGGED first, or copy it without `follow`");
  if (!pg::owns_table(source, copying.from.oid))
    throw Error(ExitCode::kPrivileges, subject + "this role does not own it, and may add no triggers",
                "connect as the table's owner, or GRANT the owner's role to this one");
  const auto schema = pg::schema_state(source, "pgsluice");
  const auto grant = pg::missing_create_grant(source, "pgsluice");
  if (!grant.empty()) throw Error(ExitCode::kPrivileges, subject + "its queue cannot be created", grant);
  if (schema == pg::SchemaState::kMissing && !pg::may_create_schema(source))
    throw Error(ExitCode::kPrivileges, subject + "schema \"pgsluice\" for its queue cannot be created",
                "GRANT CREATE ON DATABASE at the source to this role, or create the schema for it");
  if (const auto remedy = pg::read_only_remedy(source); !remedy.empty())
    throw Error(ExitCode::kRefused, subject + "transactions of this role are read-only there", remedy);
  if (source.exec("SELECT pg_catalog.pg_is_in_recovery()").boolean(0, 0))
    throw Error(ExitCode::kRefused, subject + "it is on a standby, which takes no triggers",
                "name the primary in from.dsn");
}

/// Where each column of the source's key goes.
std::vector<pg::Column> key_at(const Copying& copying) {
  std::vector<pg::Column> key;
  for (const auto& column : copying.key) {
    const auto same =
        std::find_if(copying.columns.begin(), copying.columns.end(), [&](const CopiedColumn& c) {
          return c.is_plain && c.expression == pg::Identifier(column.name).sql();
        });
    if (same == copying.columns.end())
      throw Error(ExitCode::kRefused,
                  "column \"" + column.name + "\" of the key of " + copying.source_in_words() +
                      " is not copied as it is, so a changed row cannot be found again in table " +
                      copying.to.sql(),
                  "leave it out of `columns`, or copy without `follow`");
    key.push_back(*copying.to.find(same->name));
  }
  return key;
}

void require_unique(const Copying& copying, const std::vector<std::string>& names) {
  const std::set<std::string> wanted(names.begin(), names.end());
  const bool is_there = std::any_of(copying.to.keys.begin(), copying.to.keys.end(), [&](const auto& key) {
    return key.unfit_reason.empty() &&
           std::set<std::string>(key.columns.begin(), key.columns.end()) == wanted;
  });
  if (is_there) return;
  throw Error(ExitCode::kRefused,
              "table " + copying.to.sql() + " has no unique key on " + pg::column_list(names) +
                  ", by which `follow` would find a changed row again",
              "add a primary key or a unique index on exactly these columns");
}

/// PostgreSQL lets no UPDATE write it.
void refuse_always(pg::Session& target, const Copying& copying, const std::vector<std::string>& key) {
  const auto rows = target.exec(kAlways, {std::to_string(copying.to.oid), pg::to_array(key)});
  if (rows.empty()) return;
  const auto column = pg::Identifier(rows.text(0, 0)).sql();
  throw Error(ExitCode::kRefused,
              "column " + column + " of table " + copying.to.sql() +
                  " is an identity GENERATED ALWAYS outside the key: a changed row could not be updated",
              "ALTER TABLE " + copying.to.sql() + " ALTER COLUMN " + column +
                  " SET GENERATED BY DEFAULT until the switch");
}

/// Deleting a row to insert it anew must touch nothing but what the copy writes.
std::string why_unreplaceable(pg::Session& target, const CopyFacts& facts) {
  if (!facts.matched.to_defaults.empty())
    return "column " + pg::column_list(facts.matched.to_defaults) + " has values of its own";
  const auto rows = target.exec(kReferences, {std::to_string(facts.copying.to.oid)});
  return rows.empty() ? "" : "foreign key " + rows.text(0, 0) + " acts when a row goes";
}

}  // namespace

Following read_following(pg::Session& source, pg::Session& target, const CopyStep& step,
                         const FollowNames& made, const std::string& owner) {
  auto facts = read_copy_facts(source, target, as_followed(step));
  refuse_unfit_source(source, facts.copying);
  auto key = key_at(facts.copying);
  const auto names = names_of(key);
  require_unique(facts.copying, names);
  refuse_always(target, facts.copying, names);
  if (step.on_conflict == OnConflict::kUpdate && facts.copying.conflict_key != names) {
    const std::set<std::string> ours(names.begin(), names.end());
    const std::set<std::string> theirs(facts.copying.conflict_key.begin(), facts.copying.conflict_key.end());
    if (ours != theirs)
      throw Error(ExitCode::kRefused,
                  "on_conflict = \"update\" replaces rows of table " + facts.copying.to.sql() + " by " +
                      pg::column_list(facts.copying.conflict_key) + ", and `follow` finds them by " +
                      pg::column_list(names),
                  "make the source's key the target's primary key, or copy into an empty table");
  }
  auto unreplaceable = why_unreplaceable(target, facts);
  facts.copying.on_conflict = OnConflict::kUpdate;
  add_follow(target, made.queue_sql(), facts.copying);
  return {step, std::move(facts.copying), made, std::move(key), std::move(unreplaceable), owner};
}

void add_follow(pg::Session& target, const std::string& queue_sql, Copying& copying) {
  copying.queue_sql = queue_sql;
  copying.conflict_key = names_of(key_at(copying));
  copying.references = read_references(target, copying);
}

FollowedTables read_followed(pg::Session& source, pg::Session& target, const CopyStep& step,
                             const std::string& queue, const std::string& owner) {
  const auto copies = copies_of(step);
  FollowedTables tables;
  for (const auto place : order_of_tables(target, step))
    tables.push_back(read_following(source, target, copies[place], FollowNames(queue, place), owner));
  return tables;
}

std::vector<FollowedSource> followed_sources(const CopyStep& step, const std::string& queue) {
  std::vector<FollowedSource> sources;
  for (const auto& copy : copies_of(step))
    sources.push_back(
        {pg::Identifier(copy.from.schema, copy.from.name).sql(), FollowNames(queue, sources.size())});
  return sources;
}

void require_own_rows(pg::Session& target, const CopyStep& step) {
  if (step.on_conflict == OnConflict::kUpdate) return;
  for (const auto& copy : copies_of(step)) {
    const auto table = pg::Identifier(copy.to.schema, copy.to.name).sql();
    if (!target.exec("SELECT EXISTS (SELECT FROM " + table + ")").boolean(0, 0)) continue;
    throw Error(
        ExitCode::kRefused,
        "table " + table + " has rows already, and on_conflict = \"" + on_conflict_name(step.on_conflict) +
            "\" leaves them alone: `follow` could not tell them from copied rows, and would overwrite or "
            "delete them",
        "empty the table, or write on_conflict = \"update\" if its rows are the source's");
  }
}

CopyStep as_followed(const CopyStep& step) {
  CopyStep followed = step;
  // Into a table without rows of its own a conflict is one with an earlier state of the source.
  if (followed.on_conflict == OnConflict::kSkip) followed.on_conflict = OnConflict::kError;
  return followed;
}

}  // namespace pgsluice::engine
