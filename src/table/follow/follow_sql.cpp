#include "table/follow/follow_sql.hpp"

#include "pg/identifier.hpp"
#include "table/copy/copy_sql.hpp"
#include "walk/inlined.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kWritersWait = "SHARE ROW EXCLUSIVE";

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

/// The queue's column for the key's column of that place.
std::string queued(std::size_t place) {
  return "key_" + std::to_string(place + 1);
}

std::string queued_columns(const Copying& copying) {
  std::string list;
  for (std::size_t i = 0; i < copying.key.size(); ++i) list += (i == 0 ? "" : ", ") + queued(i);
  return list;
}

/// "NEW."a", NEW."b"": the row's key.
std::string key_of(const Copying& copying, const std::string& row) {
  std::string list;
  for (std::size_t i = 0; i < copying.key.size(); ++i)
    list += (i == 0 ? "" : ", ") + row + "." + quoted(copying.key[i].name);
  return list;
}

/// A table's part of the name in schema pgsluice.
std::string made(const std::string& what, const std::string& queue) {
  return pg::Identifier("pgsluice", what + queue).sql();
}

std::string make_queue(const Following& f) {
  std::string columns;
  for (std::size_t i = 0; i < f.copying.key.size(); ++i)
    columns += ", " + queued(i) + " " + f.copying.key[i].type + " NOT NULL";
  // A source that lost what it had committed may give a change_id once more: `drawn` tells the two apart.
  return "CREATE TABLE " + f.names.queue_sql() +
         " (change_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval(" + pg::literal(f.names.numbers_sql()) +
         "), drawn double precision NOT NULL DEFAULT "
         "pg_catalog.random()" +
         columns + ")";
}

/// A trigger's function: owned by us, whoever writes, and blind to the writer's search_path.
std::string make_function(const std::string& name_sql, const std::string& body) {
  return "CREATE FUNCTION " + name_sql +
         "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS " +
         pg::literal("BEGIN\n" + body + "END");
}

std::string make_note(const Following& f) {
  const auto& copying = f.copying;
  const auto insert = "    INSERT INTO " + f.names.queue_sql() + " (" + queued_columns(copying) + ") VALUES ";
  const auto old_key = "(" + key_of(copying, "OLD") + ")";
  const auto new_key = "(" + key_of(copying, "NEW") + ")";
  // Image by image: keys that are equal to the source, such as 1.0 and 1.00, may differ at the target.
  return make_function(f.names.note_sql(), "  IF TG_OP = 'INSERT' THEN\n" + insert + new_key +
                                               ";\n  ELSIF TG_OP = 'DELETE' THEN\n" + insert + old_key +
                                               ";\n  ELSIF ROW" + old_key +
                                               "::record OPERATOR(pg_catalog.*=) ROW" + new_key +
                                               "::record THEN\n" + insert + old_key + ";\n  ELSE\n" + insert +
                                               old_key + ", " + new_key + ";\n  END IF;\n  RETURN NULL;\n");
}

std::string raise(const std::string& message, const std::string& sqlstate, const std::string& hint) {
  return "  RAISE EXCEPTION USING ERRCODE = " + pg::literal(sqlstate) +
         ", MESSAGE = " + pg::literal(message) + ", HINT = " + pg::literal(hint) + ";\n";
}

/// ENABLE ALWAYS: also for a session that replicates.
void add_trigger(const Following& f, const std::string& name, const std::string& when,
                 const std::string& function_sql, std::vector<SourceDdl>& statements) {
  const auto& table = f.copying.from.sql();
  statements.push_back({"CREATE TRIGGER " + quoted(name) + " " + when.substr(0, when.find(" FOR")) + " ON " +
                            table + when.substr(when.find(" FOR")) + " EXECUTE FUNCTION " + function_sql +
                            "()",
                        kWritersWait, table});
  statements.push_back(
      {"ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER " + quoted(name), kWritersWait, table});
}

/// "(key) = any of these" in the column types of one side.
walk::Fragment is_one_of(const std::vector<pg::Column>& key, const std::vector<pg::Key>& keys) {
  walk::Fragment out;
  out.params = key_columns(keys, key.size());
  if (key.size() == 1) {
    out.sql = quoted(key[0].name) + " = ANY ($1::" + key[0].type + "[])";
    return out;
  }
  std::string columns;
  std::string arrays;
  std::string names;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string comma = i == 0 ? "" : ", ";
    columns += comma + quoted(key[i].name);
    arrays += comma + "pg_catalog.unnest($" + std::to_string(i + 1) + "::" + key[i].type + "[])";
    names += comma + "\"pgsluice " + std::to_string(i + 1) + "\"";
  }
  out.sql =
      "(" + columns + ") IN (SELECT " + names + " FROM ROWS FROM (" + arrays + ") AS wanted(" + names + "))";
  return out;
}

// $1 bigint[] of change_id, $2 double precision[] of drawn.
constexpr const char* kEntries =
    "ROWS FROM (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::double precision[])) AS "
    "these(change_id, drawn)\nWHERE entry.change_id = these.change_id AND entry.drawn = these.drawn";

constexpr const char* kMarks = R"sql(
SELECT pg_catalog.concat_ws(' ', c.oid, c.relfilenode, c.relkind,
  (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', t.oid, t.xmin, t.tgenabled), ',' ORDER BY t.oid)
   FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = ANY ($2::name[])),
  (SELECT count(*) FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid)),
  (SELECT pg_catalog.concat_ws('/', q.oid, q.relfilenode) FROM pg_catalog.pg_class q
   WHERE q.oid = pg_catalog.to_regclass($3)))
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kSynchronous = R"sql(
SELECT pg_catalog.set_config('synchronous_commit',
  CASE WHEN pg_catalog.current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
       ELSE pg_catalog.current_setting('synchronous_commit') END, true)
)sql";

constexpr const char* kSourceSequence = R"sql(
SELECT pg_catalog.pg_sequence_last_value(s.oid) FROM pg_catalog.pg_class s
WHERE s.relkind = 'S' AND s.oid = pg_catalog.pg_get_serial_sequence($1, $2)::pg_catalog.regclass
)sql";

}  // namespace

pg::Params key_columns(const std::vector<pg::Key>& keys, std::size_t columns) {
  pg::Params params;
  for (std::size_t i = 0; i < columns; ++i) {
    pg::Key values;
    for (const auto& one : keys) values.push_back(one[i]);
    params.emplace_back(pg::to_array(values));
  }
  return params;
}

FollowNames::FollowNames(const std::string& queue, std::size_t place)
    : numbers_sql_(made("change_ids_", queue)) {
  const auto own = queue + "_" + std::to_string(place + 1);
  queue_sql_ = made("changes_", own);
  note_sql_ = made("note_", own);
  truncate_sql_ = made("refuse_truncate_", own);
  refuse_sql_ = made("switched_", own);
  note_ = "pgsluice_note_" + own;
  truncate_ = "pgsluice_refuse_truncate_" + own;
  refuse_ = "pgsluice_switched_" + own;
  refuse_row_ = "pgsluice_switched_row_" + own;
}

std::string sources_in_words(const FollowedTables& tables) {
  std::string words;
  for (const auto& f : tables) words += (words.empty() ? "" : ", ") + f.copying.source_in_words();
  return words;
}

std::vector<FollowedSource> sources_of(const FollowedTables& tables) {
  std::vector<FollowedSource> sources;
  for (const auto& f : tables) sources.push_back({f.copying.from.sql(), f.names});
  return sources;
}

std::vector<SourceDdl> install_statements(const FollowedTables& tables) {
  std::vector<SourceDdl> statements{{"CREATE SCHEMA IF NOT EXISTS pgsluice"},
                                    {"CREATE SEQUENCE " + tables.front().names.numbers_sql()}};
  for (const auto& f : tables) {
    const auto table = f.copying.from.sql();
    statements.push_back({make_queue(f)});
    statements.push_back(
        {"COMMENT ON TABLE " + f.names.queue_sql() + " IS " +
         pg::literal("keys of table " + table + " that have changed, for pgsluice: " + f.owner)});
    statements.push_back({make_note(f)});
    statements.push_back({make_function(
        f.names.truncate_sql(),
        raise("table " + table + " is followed by pgsluice (" + f.owner + "), which TRUNCATE would bypass",
              "55000", "DELETE its rows, or roll the job back first"))});
  }
  for (const auto& f : tables) {
    add_trigger(f, f.names.note(), "AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW", f.names.note_sql(),
                statements);
    add_trigger(f, f.names.truncate(), "BEFORE TRUNCATE FOR EACH STATEMENT", f.names.truncate_sql(),
                statements);
  }
  return statements;
}

std::vector<SourceDdl> refuse_statements(const FollowedTables& tables) {
  std::vector<SourceDdl> statements;
  for (const auto& f : tables)
    statements.push_back(
        {make_function(f.names.refuse_sql(), raise("table " + f.copying.from.sql() + " has moved (pgsluice " +
                                                       f.owner + "): it takes no more changes",
                                                   "25006", "write to the table in its new place"))});
  for (const auto& f : tables) {
    add_trigger(f, f.names.refuse(), "BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH STATEMENT",
                f.names.refuse_sql(), statements);
    // Replication fires no triggers of statements.
    add_trigger(f, f.names.refuse_row(), "BEFORE INSERT OR UPDATE OR DELETE FOR EACH ROW",
                f.names.refuse_sql(), statements);
  }
  return statements;
}

std::vector<SourceDdl> removal_statements(const std::vector<FollowedSource>& sources) {
  std::vector<SourceDdl> statements;
  for (const auto& [table, names] : sources) {
    for (const auto& trigger : {names.note(), names.truncate()})
      statements.push_back(
          {"DROP TRIGGER IF EXISTS " + quoted(trigger) + " ON " + table, "ACCESS EXCLUSIVE", table});
  }
  for (const auto& [table, names] : sources) {
    // CASCADE: the triggers go with their functions if the table has another name by now.
    for (const auto& function_sql : {names.note_sql(), names.truncate_sql()})
      statements.push_back({"DROP FUNCTION IF EXISTS " + function_sql + "() CASCADE"});
    statements.push_back({"DROP TABLE IF EXISTS " + names.queue_sql()});
  }
  statements.push_back({"DROP SEQUENCE IF EXISTS " + sources.front().names.numbers_sql()});
  return statements;
}

walk::Fragment marks_of(const Following& f) {
  return {kMarks,
          {f.copying.from.sql(), pg::to_array({f.names.note(), f.names.truncate()}), f.names.queue_sql()}};
}

walk::Fragment awake_triggers(const Following& f) {
  return {
      "SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = pg_catalog.to_regclass($1) AND tgenabled = "
      "'A' "
      "AND tgname = ANY ($2::name[])",
      {f.copying.from.sql(), pg::to_array({f.names.note(), f.names.truncate()})}};
}

std::string hold_table_sql(const Following& f) {
  return "LOCK TABLE " + f.copying.from.sql() + " IN ACCESS SHARE MODE";
}

std::string read_entries_sql(const FollowedTables& tables, std::int64_t entries) {
  const auto oldest = " ORDER BY change_id LIMIT " + std::to_string(entries);
  std::string all;
  for (std::size_t place = 0; place < tables.size(); ++place) {
    std::string key;
    for (std::size_t i = 0; i < tables[place].copying.key.size(); ++i)
      key += (i == 0 ? "" : ", ") + queued(i) + "::text";
    all += (place == 0 ? "  (SELECT " : "\n  UNION ALL (SELECT ") + std::to_string(place) +
           " AS place, change_id, drawn, ARRAY[" + key + "] AS key FROM " + tables[place].names.queue_sql() +
           oldest + ")";
  }
  return "SELECT place, change_id, drawn, key FROM (\n" + all + "\n) AS entry" + oldest;
}

walk::Fragment queued_keys(const Following& f, const std::vector<pg::Key>& keys) {
  auto columns = f.copying.key;
  std::string texts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].name = queued(i);
    texts += (i == 0 ? "" : ", ") + queued(i) + "::text";
  }
  auto at = is_one_of(columns, keys);
  at.sql = "SELECT DISTINCT " + texts + " FROM " + f.names.queue_sql() + " WHERE " + at.sql;
  return at;
}

std::string count_entries_sql(const FollowedTables& tables) {
  std::string all;
  for (const auto& f : tables)
    all += (all.empty() ? "" : " UNION ALL ") +
           ("SELECT min(change_id) AS first, max(change_id) AS last FROM " + f.names.queue_sql());
  return "SELECT coalesce(max(last) - min(first) + 1, 0) FROM (" + all + ") AS ends";
}

std::string acknowledge_sql(const Following& f) {
  return "DELETE FROM " + f.names.queue_sql() + " AS entry USING " + kEntries;
}

std::string put_off_sql(const Following& f) {
  return "UPDATE " + f.names.queue_sql() + " AS entry SET change_id = DEFAULT FROM " + kEntries;
}

std::string copy_out_of_keys_sql(const Following& f, const std::vector<pg::Key>& keys) {
  return copy_out_sql(f.copying, walk::inlined(is_one_of(f.copying.key, keys)));
}

walk::Fragment requeue(const Copying& copying, const walk::Keyset& keyset, const walk::KeySlice& slice) {
  auto at = keyset.predicate(slice);
  std::string keys;
  for (const auto& column : copying.key) keys += (keys.empty() ? "" : ", ") + quoted(column.name);
  at.sql = "INSERT INTO " + copying.queue_sql + " (" + queued_columns(copying) + ") SELECT " + keys +
           " FROM " + copying.from.sql() + " WHERE " + at.sql;
  return at;
}

walk::Fragment requeue_keys(const Copying& copying, const std::vector<pg::Key>& keys) {
  walk::Fragment out;
  out.params = key_columns(keys, copying.key.size());
  std::string arrays;
  for (std::size_t i = 0; i < copying.key.size(); ++i)
    arrays += (i == 0 ? "" : ", ") +
              ("pg_catalog.unnest($" + std::to_string(i + 1) + "::" + copying.key[i].type + "[])");
  out.sql = "INSERT INTO " + copying.queue_sql + " (" + queued_columns(copying) +
            ") SELECT * FROM ROWS FROM (" + arrays + ") AS again";
  return out;
}

std::string count_source_sql(const Copying& copying) {
  const auto where = copying.where.empty() ? "" : " WHERE CASE WHEN (" + copying.where + "\n) THEN true END";
  return "SELECT count(*) FROM " + copying.from.sql() + where;
}

std::string count_target_sql(const Copying& copying) {
  return "SELECT count(*) FROM " + copying.to.sql();
}

const char* synchronous_sql() {
  return kSynchronous;
}

const char* source_sequence_sql() {
  return kSourceSequence;
}

}  // namespace pgsluice::engine
