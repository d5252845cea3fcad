#include "chaos/journal_scripts.hpp"

#include <map>
#include <sstream>
#include <vector>

namespace pgsluice::test {
namespace {

// Reading and changing one row and its twin is one statement: between two of them the row could go and come
// back.

constexpr const char* kDraw = R"sql(
\set pick random(1, 100)
\set u random(1, :users)
\set v random(1, :users)
\set older least(:u, :v)
\set newer greatest(:u, :v)
\set j random(1, :journals)
\set g random(1, :tags)
\set r random(1, :reminders)
\set s random(1, :secret_tags)
\set b random(1, 1000000)
)sql";

/// One kind of transaction, and how often it comes among a hundred.
struct Kind {
  int weight;
  std::string sql;
};

std::string one_of(const std::vector<Kind>& kinds) {
  std::ostringstream out;
  out << kDraw;
  int up_to = 0;
  const char* word = "\\if ";
  for (const auto& kind : kinds) {
    up_to += kind.weight;
    out << word << ":pick <= " << up_to << "\nBEGIN;\n" << kind.sql << "COMMIT;\n";
    word = "\\elif ";
  }
  out << "\\endif\n";
  return out.str();
}

/// The token of the row's user becomes :owner, locked together with user :v.
std::string lock_owner_of(const char* table, const char* token) {
  return std::string("SELECT coalesce(min(u.token), 'nobody') AS owner FROM ") + table +
         " t JOIN users u ON u.id = t.user_id WHERE t.token = '" + token +
         "' \\gset\nSELECT count(*) FROM (SELECT FROM users WHERE token IN (':owner', 'u:v') ORDER BY token "
         "FOR KEY SHARE) AS locked;\n";
}

constexpr const char* kOneDeparture = "SELECT pg_advisory_xact_lock(7);\n";

constexpr const char* kNewUser = R"sql(
WITH i AS (SELECT id, token FROM users WHERE token = 'u:older' AND :older < :newer FOR KEY SHARE),
     n AS (INSERT INTO users (token, email, display_name, invited_by)
           VALUES ('u:newer', 'u:newer@traffic.example', 'Ann', (SELECT id FROM i)) ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_users SELECT token, (SELECT token FROM i), 'Ann' FROM n;
)sql";

constexpr const char* kNewJournal = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = 'u:u' FOR KEY SHARE),
     c AS (SELECT t.id, t.token FROM journals t JOIN o ON o.id = t.user_id WHERE t.token <> 'j:j' LIMIT 1 FOR KEY SHARE OF t),
     n AS (INSERT INTO journals (token, user_id, continues, title, body)
           SELECT 'j:j', o.id, (SELECT id FROM c), 'Today', 'b:b' FROM o ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_journals SELECT n.token, o.token, (SELECT token FROM c), 'b:b' FROM n, o;
)sql";

constexpr const char* kNewTag = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = 'u:u' FOR KEY SHARE),
     n AS (INSERT INTO tags (token, user_id, name) SELECT 'g:g', id, 'Traffic g:g' FROM o ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_tags SELECT n.token, o.token, false FROM n, o;
)sql";

constexpr const char* kNewReminder = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = 'u:u' FOR KEY SHARE),
     c AS (SELECT t.id, t.token FROM journals t JOIN o ON o.id = t.user_id LIMIT 1 FOR KEY SHARE OF t),
     n AS (INSERT INTO reminders (token, user_id, journal_id, message, remind_at)
           SELECT 'r:r', o.id, (SELECT id FROM c), 'm:b', now() FROM o ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_reminders SELECT n.token, o.token, (SELECT token FROM c), 'm:b' FROM n, o;
)sql";

// The journal's row is locked for a change: an index that is being built cannot settle who of two comes
// first.
constexpr const char* kNewSecretTag = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = ':owner'),
     c AS (SELECT t.id, t.token FROM journals t JOIN o ON o.id = t.user_id WHERE t.token = 'j:j' FOR NO KEY UPDATE OF t),
     l AS (SELECT t.id, t.token FROM tags t JOIN o ON t.user_id IS NULL OR t.user_id = o.id LIMIT 1 FOR KEY SHARE OF t),
     n AS (INSERT INTO secret_tags (token, journal_id, user_id, tag_id)
           SELECT 's:s', c.id, o.id, l.id FROM o, c, l ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_secret_tags SELECT n.token, c.token, o.token, l.token FROM n, o, c, l;
)sql";

constexpr const char* kNewBody = R"sql(
WITH x AS (UPDATE journals SET body = 'b:b' WHERE token = 'j:j' RETURNING token)
UPDATE twin_journals t SET body = 'b:b' FROM x WHERE t.token = x.token;
)sql";

constexpr const char* kMoveJournal = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = 'u:v'),
     x AS (UPDATE journals t SET user_id = o.id, continues = NULL FROM o WHERE t.token = 'j:j' RETURNING t.token)
UPDATE twin_journals t SET user_token = 'u:v', continues = NULL FROM x WHERE t.token = x.token;
)sql";

constexpr const char* kTurnReminder = R"sql(
WITH c AS (SELECT t.id, t.token FROM journals t JOIN users u ON u.id = t.user_id WHERE u.token = ':owner'
           ORDER BY t.token LIMIT 1 OFFSET :b % 3 FOR KEY SHARE OF t),
     x AS (UPDATE reminders SET journal_id = (SELECT id FROM c), message = 'm:b' WHERE token = 'r:r' RETURNING token)
UPDATE twin_reminders t SET journal_token = (SELECT token FROM c), message = 'm:b' FROM x WHERE t.token = x.token;
)sql";

constexpr const char* kTurnUser = R"sql(
WITH i AS (SELECT id, token FROM users WHERE token = 'u:older' AND :older < :newer AND :b % 3 > 0 FOR KEY SHARE),
     x AS (UPDATE users SET invited_by = (SELECT id FROM i), display_name = 'Name :b' WHERE token = 'u:newer' RETURNING token)
UPDATE twin_users t SET invited_by = (SELECT token FROM i), display_name = 'Name :b' FROM x WHERE t.token = x.token;
)sql";

constexpr const char* kMoveTag = R"sql(
WITH o AS (SELECT id, token FROM users WHERE token = 'u:v'),
     x AS (UPDATE tags t SET user_id = o.id FROM o WHERE t.token = 'g:g' AND NOT t.is_shared RETURNING t.token)
UPDATE twin_tags t SET user_token = 'u:v' FROM x WHERE t.token = x.token;
)sql";

constexpr const char* kShareTag = R"sql(
WITH x AS (UPDATE tags SET user_id = NULL, is_shared = true WHERE token = 'g:g' RETURNING token)
UPDATE twin_tags t SET user_token = NULL, is_shared = true FROM x WHERE t.token = x.token;
)sql";

std::string drop(const std::string& table, const std::string& token) {
  return "WITH x AS (DELETE FROM " + table + " WHERE token = '" + token +
         "' RETURNING token)\nDELETE FROM twin_" + table + " t USING x WHERE t.token = x.token;\n";
}

constexpr const char* kLook = R"sql(
SELECT count(*) FROM journal_feed WHERE author = 'Ann';
SELECT count(*) FROM secret_tags s JOIN journals t ON t.id = s.journal_id JOIN users u ON u.id = t.user_id
WHERE u.token = 'u:u';
)sql";

// ----- statements with keys. $u$ is the value of pgbench's variable `u` as a literal.

constexpr const char* kFindUser = R"sql(
SELECT coalesce(min(id::text), '$none$') AS uid, count(*) AS found
FROM (SELECT id FROM users WHERE token = 'u:u' FOR KEY SHARE) AS t \gset
)sql";

constexpr const char* kJournalOfUser = R"sql(
\if :found
WITH n AS (INSERT INTO journals (token, user_id, title, body) VALUES ('j:j', $uid$, 'Today', 'b:b')
           ON CONFLICT DO NOTHING RETURNING token)
INSERT INTO twin_journals SELECT token, 'u:u', NULL, 'b:b' FROM n;
SELECT count(*) FROM journals WHERE user_id = $uid$ AND id IS NOT NULL;
\endif
)sql";

// The reminder comes before its journal, as the deferred key allows.
constexpr const char* kImport = R"sql(
\if :found
SELECT $fresh$ AS n \gset
INSERT INTO reminders (token, user_id, journal_id, message, remind_at) VALUES ('ri:n', $uid$, $n$, 'import', now());
INSERT INTO journals (id, token, user_id, title, body) VALUES ($n$, 'ji:n', $uid$, 'Import', '');
INSERT INTO twin_journals VALUES ('ji:n', 'u:u', NULL, '');
INSERT INTO twin_reminders VALUES ('ri:n', 'u:u', 'ji:n', 'import');
\endif
)sql";

// What WITH holds and nobody reads is carried out last: the child comes first.
constexpr const char* kNewFamily = R"sql(
SELECT $fresh$ AS n, $fresh$ AS m, $fresh$ AS k \gset
WITH p AS (INSERT INTO users (id, token, email, display_name) VALUES ($n$, 'uc:n', 'uc:n@traffic.example', 'Bo')),
     t AS (INSERT INTO twin_users VALUES ('uc:n', NULL, 'Bo')),
     s AS (INSERT INTO twin_journals VALUES ('jc:n', 'uc:n', NULL, ''))
INSERT INTO journals (token, user_id, title, body) VALUES ('jc:n', $n$, 'First', '');
INSERT INTO users (id, token, email, display_name, invited_by)
VALUES ($m$, 'ud:m', 'ud:m@traffic.example', 'Cy', $k$), ($k$, 'ue:m', 'ue:m@traffic.example', 'Di', NULL);
INSERT INTO twin_users VALUES ('ud:m', 'ue:m', 'Cy'), ('ue:m', NULL, 'Di');
)sql";

constexpr const char* kNewFamilyInOrder = R"sql(
SELECT $fresh$ AS n \gset
WITH p AS (INSERT INTO users (id, token, email, display_name) VALUES ($n$, 'uc:n', 'uc:n@traffic.example', 'Bo') RETURNING id),
     t AS (INSERT INTO twin_users VALUES ('uc:n', NULL, 'Bo')),
     s AS (INSERT INTO twin_journals VALUES ('jc:n', 'uc:n', NULL, ''))
INSERT INTO journals (token, user_id, title, body) SELECT 'jc:n', id, 'First', '' FROM p;
)sql";

constexpr const char* kNewKeyOfUser = R"sql(
SELECT $fresh$ AS n \gset
UPDATE users SET id = $n$ WHERE id = $uid$;
)sql";

constexpr const char* kFindJournal = R"sql(
SELECT coalesce(min(t.id::text), '$none$') AS jid, coalesce(min(u.id::text), '$none$') AS vid, count(*) AS found
FROM (SELECT id FROM journals WHERE token = 'j:j' FOR UPDATE) AS t, (SELECT id FROM users WHERE token = 'u:v') AS u \gset
)sql";

// Its own key and the reference to its parent in one statement; both cascade to the tags.
constexpr const char* kNewKeyOfJournal = R"sql(
\if :found
SELECT $fresh$ AS n \gset
UPDATE journals SET id = $n$, user_id = $vid$, continues = NULL WHERE id = $jid$;
UPDATE twin_journals SET user_token = 'u:v', continues = NULL WHERE token = 'j:j';
\endif
)sql";

constexpr const char* kUpsertReminder = R"sql(
SELECT coalesce(min(id::text), '$none$') AS rid, coalesce(min(user_id::text), '$none$') AS uid, count(*) AS found
FROM (SELECT id, user_id FROM reminders WHERE token = 'r:r' FOR NO KEY UPDATE) AS t \gset
\if :found
INSERT INTO reminders AS t (id, token, user_id, message, remind_at) VALUES ($rid$, 'r:r', $uid$, 'm:b', now())
ON CONFLICT (id) DO UPDATE SET message = excluded.message WHERE t.id = $rid$;
UPDATE twin_reminders SET message = 'm:b' WHERE token = 'r:r';
\endif
)sql";

constexpr const char* kTagWithKey = R"sql(
\if :found
SELECT $fresh$ AS n \gset
INSERT INTO tags (id, token, user_id, name) OVERRIDING SYSTEM VALUE VALUES ($n$, 'gi:n', $uid$, 'Import :n');
INSERT INTO twin_tags VALUES ('gi:n', 'u:u', false);
\endif
)sql";

constexpr const char* kDropByKey = R"sql(
SELECT coalesce(min(id::text), '$none$') AS sid, count(*) AS found
FROM (SELECT id FROM secret_tags WHERE token = 's:s' FOR UPDATE) AS t \gset
\if :found
DELETE FROM secret_tags WHERE id = $sid$;
DELETE FROM twin_secret_tags WHERE token = 's:s';
\endif
)sql";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string in_shape(std::string text, bool is_uuid) {
  text = replaced(text, "$fresh$", is_uuid ? "gen_random_uuid()" : "nextval('import_ids')");
  text = replaced(text, "$none$", is_uuid ? "00000000-0000-0000-0000-000000000000" : "0");
  for (const char* name : {"n", "m", "k", "uid", "vid", "jid", "rid", "sid"})
    text = replaced(text, std::string("$") + name + "$",
                    (is_uuid ? "':" : ":") + std::string(name) + (is_uuid ? "'" : ""));
  return text;
}

}  // namespace

std::string neutral_script() {
  return one_of({{9, kNewUser},
                 {18, kNewJournal},
                 {8, kNewTag},
                 {9, kNewReminder},
                 {12, lock_owner_of("journals", "j:j") + kNewSecretTag},
                 {7, kNewBody},
                 {5, lock_owner_of("journals", "j:j") + kMoveJournal},
                 {5, lock_owner_of("reminders", "r:r") + kTurnReminder},
                 {4, kTurnUser},
                 {3, lock_owner_of("tags", "g:g") + kMoveTag},
                 {1, lock_owner_of("tags", "g:g") + kShareTag},
                 {4, lock_owner_of("journals", "j:j") + drop("journals", "j:j")},
                 {3, lock_owner_of("reminders", "r:r") + drop("reminders", "r:r")},
                 {2, lock_owner_of("secret_tags", "s:s") + drop("secret_tags", "s:s")},
                 {2, lock_owner_of("tags", "g:g") + drop("tags", "g:g")},
                 {2, kOneDeparture + drop("users", "u:u")},
                 {6, kLook}});
}

std::string shaped_script(bool is_uuid, bool with_early_children) {
  const std::string find_user = kFindUser;
  const std::string find_journal = lock_owner_of("journals", "j:j") + kFindJournal;
  return in_shape(one_of({{26, find_user + kJournalOfUser},
                          {12, find_user + (with_early_children ? kImport : kJournalOfUser)},
                          {8, with_early_children ? kNewFamily : kNewFamilyInOrder},
                          {8, kOneDeparture + find_user + kNewKeyOfUser},
                          {12, find_journal + kNewKeyOfJournal},
                          {14, kUpsertReminder},
                          {10, find_user + kTagWithKey},
                          {10, kDropByKey}}),
                  is_uuid);
}

}  // namespace pgsluice::test
