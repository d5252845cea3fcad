#include "end_to_end/journals_database.hpp"

#include "support/process.hpp"
#include "support/server_user.hpp"

namespace pgsluice::bench {
namespace {

const std::filesystem::path kSource = PGSLUICE_SOURCE_FOLDER;

constexpr std::chrono::hours kPatience{1};
constexpr std::chrono::hours kTrafficMax{12};
constexpr int kClients = 8;  // more than wait at a time, so that a held lock is told by latency alone

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

// {n} and {m} are users, found by their address: its domain follows from the number. Rows that an insert
// refers to are locked where they are read: else another transaction could take them away in between, and the
// application would have to try again.
constexpr const char* kScript = R"sql(
\set n random(1, :writers)
\set m random(1, :writers)
\set what random(1, 100)
\if :what <= 40
SELECT title, author FROM journal_feed WHERE user_id = {n} ORDER BY created_at DESC LIMIT 10;
\elif :what <= 65
BEGIN;
INSERT INTO journals (user_id, continues, title, body)
  SELECT user_id, id, 'Day after', 'Rain all day' FROM journals WHERE id = {newest of n} FOR KEY SHARE;
INSERT INTO reminders (user_id, journal_id, message, remind_at)
  SELECT user_id, id, 'Go on', now() + interval '1 day' FROM journals WHERE id = {newest of n} FOR KEY SHARE;
INSERT INTO secret_tags (journal_id, user_id, tag_id)
  SELECT j.id, j.user_id, t.id FROM journals j JOIN tags t ON t.user_id = j.user_id
  WHERE j.id = {newest of n} LIMIT 1 FOR KEY SHARE ON CONFLICT DO NOTHING;
END;
\elif :what <= 75
UPDATE journals SET user_id = {m} WHERE id = {newest of n};
\elif :what <= 80
UPDATE users SET invited_by = {m} WHERE id = {n} AND :n <> :m;
\elif :what <= 90
UPDATE reminders SET sent_at = now()
WHERE id = (SELECT id FROM reminders WHERE user_id = {n} AND sent_at IS NULL ORDER BY remind_at LIMIT 1);
\elif :what <= 94
INSERT INTO tags (user_id, name) SELECT {n}, 'Tag ' || gen_random_uuid();
\elif :what <= 96
INSERT INTO users (email, display_name, invited_by) SELECT 'guest' || gen_random_uuid(), 'Guest', {n};
\elif :what <= 98
DELETE FROM journals WHERE id = {newest of n};
\else
DELETE FROM tags WHERE id = (SELECT id FROM tags WHERE user_id = {n} ORDER BY lower(name) DESC LIMIT 1);
\endif
)sql";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// The user of the number that pgbench's variable holds.
std::string user_of(const std::string& variable) {
  return "(SELECT id FROM users WHERE lower(email) = 'user:" + variable +
         "@' || (ARRAY['example.com', 'example.org', 'example.net'])[1 + :" + variable + " % 3])";
}

}  // namespace

std::filesystem::path integer_to_uuid_job() {
  return kSource / "jobs/integer-to-uuid.toml";
}

void make_journals(test::PrivateServer& server, const std::string& database, std::int64_t users) {
  const auto dsn = server.create_database(database);
  test::run_ok({test::postgres_program("psql"),
                {"-XqAt", "-d", dsn, "-v", "users=" + std::to_string(users), "-f",
                 kSource / "tests/fixtures/journals.sql"}},
               kPatience);
  test::Db(dsn).exec("CREATE EXTENSION pg_prewarm");
}

std::string journal_script() {
  std::string script = kScript;
  replace_all(script, "{newest of n}",
              "(SELECT id FROM journals WHERE user_id = {n} ORDER BY id DESC LIMIT 1)");
  replace_all(script, "{n}", user_of("n"));
  replace_all(script, "{m}", user_of("m"));
  return script;
}

test::Traffic journal_traffic(const std::string& dsn, std::int64_t users, double rate) {
  test::Traffic traffic;
  traffic.dsn = dsn;
  traffic.script = journal_script();
  traffic.clients = kClients;
  traffic.rate = rate;
  traffic.duration = kTrafficMax;
  traffic.variables = {{"writers", std::to_string(users * 2 / 3)}};
  return traffic;
}

std::int64_t orphans(test::Db& db) {
  return db.number(kOrphans);
}

}  // namespace pgsluice::bench
