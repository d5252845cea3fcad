#include "pg/journals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "pg/journal_writes.hpp"
#include "support/server_user.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::test {
namespace {

const std::filesystem::path kSource = PGSLUICE_SOURCE_FOLDER;

constexpr const char* kRows = R"sql(
SELECT jsonb_build_array('user', u.email, u.display_name, i.email, u.created_at)::text
FROM users u LEFT JOIN users i ON i.id = u.invited_by
UNION ALL
SELECT jsonb_build_array('journal', j.title, u.email, c.title, j.body, j.created_at, j.moved_at)::text
FROM journals j LEFT JOIN users u ON u.id = j.user_id LEFT JOIN journals c ON c.id = j.continues
UNION ALL
SELECT jsonb_build_array('tag', t.name, u.email, t.is_shared, t.created_at)::text
FROM tags t LEFT JOIN users u ON u.id = t.user_id
UNION ALL
SELECT jsonb_build_array('reminder', r.message, u.email, j.title, r.remind_at, r.sent_at)::text
FROM reminders r LEFT JOIN users u ON u.id = r.user_id LEFT JOIN journals j ON j.id = r.journal_id
UNION ALL
SELECT jsonb_build_array('secret', j.title, u.email, t.name, s.created_at)::text
FROM secret_tags s LEFT JOIN users u ON u.id = s.user_id LEFT JOIN journals j ON j.id = s.journal_id
  LEFT JOIN tags t ON t.id = s.tag_id
ORDER BY 1
)sql";

constexpr const char* kKeys = R"sql(
SELECT kind || ' ' || CASE WHEN id LIKE '00000000-0000-8000-8000-%' THEN ('x' || right(id, 12))::bit(48)::bigint::text
                           ELSE id END
FROM (SELECT 'users' AS kind, id::text FROM users UNION ALL SELECT 'journals', id::text FROM journals
      UNION ALL SELECT 'tags', id::text FROM tags UNION ALL SELECT 'reminders', id::text FROM reminders
      UNION ALL SELECT 'secret_tags', id::text FROM secret_tags) AS k
ORDER BY 1
)sql";

constexpr const char* kOrphans = R"sql(
SELECT (SELECT count(*) FROM users c WHERE invited_by IS NOT NULL
          AND NOT EXISTS (SELECT FROM users p WHERE p.id = c.invited_by))
     + (SELECT count(*) FROM journals c WHERE NOT EXISTS (SELECT FROM users p WHERE p.id = c.user_id))
     + (SELECT count(*) FROM journals c WHERE continues IS NOT NULL
          AND NOT EXISTS (SELECT FROM journals p WHERE p.id = c.continues))
     + (SELECT count(*) FROM tags c WHERE user_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM users p WHERE p.id = c.user_id))
     + (SELECT count(*) FROM reminders c WHERE NOT EXISTS (SELECT FROM users p WHERE p.id = c.user_id))
     + (SELECT count(*) FROM reminders c WHERE journal_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM journals p WHERE p.id = c.journal_id))
     + (SELECT count(*) FROM secret_tags c
          WHERE NOT EXISTS (SELECT FROM journals p WHERE p.id = c.journal_id AND p.user_id = c.user_id))
     + (SELECT count(*) FROM secret_tags c WHERE NOT EXISTS (SELECT FROM tags p WHERE p.id = c.tag_id))
)sql";

constexpr const char* kKeyType = R"sql(
SELECT CASE WHEN count(*) = 14 AND count(DISTINCT atttypid) = 1 THEN min(format_type(atttypid, NULL)) ELSE '' END
FROM pg_attribute
WHERE attrelid IN ('users'::regclass, 'journals'::regclass, 'tags'::regclass, 'reminders'::regclass,
                   'secret_tags'::regclass)
  AND attname IN ('id', 'user_id', 'invited_by', 'continues', 'journal_id', 'tag_id')
)sql";

constexpr const char* kTraces = R"sql(
SELECT 'column ' || attrelid::regclass || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
WHERE NOT attisdropped AND attname ~ '_(new|old)$' AND c.relkind = 'r' AND relnamespace::regnamespace::text !~ '^pg'
UNION ALL
SELECT 'relation ' || oid::regclass FROM pg_class
WHERE (relname ~ '(_(new|old)$|pgsluice)' AND relnamespace::regnamespace::text !~ '^pg')
   OR (relkind = 'S' AND relname ~ '^ids_' AND relnamespace::regnamespace::text = 'pgsluice')
UNION ALL
SELECT 'constraint ' || conname FROM pg_constraint
WHERE conname ~ '(_(new|old)$|pgsluice)' AND connamespace::regnamespace::text <> 'pgsluice'
UNION ALL
SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname ~ 'pgsluice'
UNION ALL
SELECT 'function ' || oid::regprocedure FROM pg_proc
WHERE proname ~ '^(sync|late)_' AND pronamespace::regnamespace::text = 'pgsluice'
   OR proname ~ 'pgsluice' AND pronamespace::regnamespace::text <> 'pgsluice'
UNION ALL
SELECT 'function ' || oid::regprocedure || ' of another schema' FROM pg_proc
WHERE prosrc ~ '(_new|_old|pgsluice)' AND pronamespace::regnamespace::text NOT IN ('pgsluice', 'pg_catalog')
UNION ALL
SELECT 'statistics ' || stxname FROM pg_statistic_ext WHERE stxname ~ '(_(new|old)$|pgsluice)'
ORDER BY 1
)sql";

bool is_noise(const std::string& line) {
  return line.empty() || line.starts_with("--") || line.starts_with("\\") || line.starts_with("SET ") ||
         line.starts_with("SELECT pg_catalog.set_config");
}

/// A column of CREATE TABLE without the comma, as a statement: "CREATE TABLE public.users: id integer".
std::string column_statement(const std::string& table, std::string line) {
  if (line.ends_with(",")) line.pop_back();
  return table.substr(0, table.find(" (")) + ":" + line.substr(std::min<std::size_t>(3, line.size()));
}

}  // namespace

Journals::Journals(int users) {
  run_ok({postgres_program("psql"),
          {"-XqAt", "-d", trial_.dsn(), "-v", "users=" + std::to_string(users), "-f",
           kSource / "tests/fixtures/journals.sql"}},
         4 * kPatience);
  trial_.job_file(kSource / "jobs/integer-to-uuid.toml");
}

void Journals::set_mapping(const std::string& lines) {
  const std::string shipped = "mapping = \"embed\"";
  auto text = read_file(kSource / "jobs/integer-to-uuid.toml");
  const auto at = text.find("\n" + shipped);
  if (at == std::string::npos) throw std::runtime_error("the shipped job has no " + shipped);
  trial_.job(text.replace(at + 1, shipped.size(), lines));
}

Finished Journals::expect(const std::string& verb, int code) {
  auto finished = trial_.verb(verb);
  EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.err;  // the events would fill pages
  return finished;
}

void Journals::die_at(const std::string& verb, const std::string& failpoint) {
  auto command = trial_.command(verb);
  command.env["PGSLUICE_FAILPOINT"] = failpoint;
  const auto finished = test::run(command, 2 * kPatience);
  EXPECT_EQ(finished.exit, (Exit{-1, SIGKILL})) << failpoint << "\n" << finished.out << finished.err;
}

std::vector<std::string> Journals::rows() {
  return db().column(kRows);
}

std::vector<std::string> Journals::keys() {
  return db().column(kKeys);
}

std::int64_t Journals::orphans() {
  return db().number(kOrphans);
}

std::string Journals::key_type() {
  return db().text(kKeyType);
}

void Journals::write_with_integers() {
  db().exec(kIntegerWrites);
}

void Journals::import_with_integers() {
  db().exec(kEarlyReminder);
}

void Journals::write_with_uuids() {
  // A transaction block each, as deferred constraints are looked at when it ends.
  for (const char* block : kUuidWrites) db().exec(block);
}

std::vector<std::string> schema_of(const Trial& trial) {
  const auto dump = run_ok(
      {postgres_program("pg_dump"), {"--schema-only", "--exclude-schema=pgsluice", "-d", trial.dsn()}});
  std::vector<std::string> statements;
  std::istringstream in(dump);
  std::string table, statement;
  for (std::string line; std::getline(in, line);) {
    if (is_noise(line)) continue;
    if (line.starts_with("CREATE TABLE ")) {
      table = line;
    } else if (line.starts_with(")") && !table.empty()) {
      statements.push_back(std::exchange(table, {}) + " … " + line);
    } else if (!table.empty()) {
      statements.push_back(column_statement(table, line));
    } else {
      statement += (statement.empty() ? "" : "\n") + line;
      if (line.ends_with(";")) statements.push_back(std::exchange(statement, {}));
    }
  }
  std::sort(statements.begin(), statements.end());
  return statements;
}

std::vector<std::string> without(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) {
  std::vector<std::string> out;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(out));
  return out;
}

std::vector<std::string> traces_of(Trial& trial) {
  return trial.db().column(kTraces);
}

}  // namespace pgsluice::test
