#pragma once

namespace pgsluice::test {

// What an application writes to the tables of tests/fixtures/journals.sql: every kind of change that a
// foreign key can feel.

inline constexpr const char* kIntegerWrites = R"sql(
INSERT INTO users (email, display_name, invited_by)
  SELECT 'old1@example.com', 'Hana', id FROM users WHERE email LIKE 'user7@%';
INSERT INTO users (id, email, display_name) VALUES (900001, 'old2@example.com', 'Ivo');
INSERT INTO journals (user_id, title, body) SELECT id, 'Old day', 'x' FROM users WHERE email LIKE 'old1@%';
INSERT INTO journals (user_id, continues, title, body)
  SELECT user_id, id, 'Old day after', 'y' FROM journals WHERE title = 'Old day';
INSERT INTO tags (user_id, name) SELECT id, 'Old tag' FROM users WHERE email LIKE 'old1@%';
INSERT INTO journals (id, user_id, title, body) VALUES (900002, 900001, 'Old import', '');
INSERT INTO reminders (user_id, journal_id, message, remind_at) VALUES (900001, 900002, 'Old', '2030-01-01');
INSERT INTO secret_tags (journal_id, user_id, tag_id)
  SELECT j.id, j.user_id, t.id FROM journals j, tags t WHERE j.title = 'Old day' AND t.name = 'Old tag';
UPDATE journals SET user_id = 900001 WHERE title IN ('Day 2', 'Old day');
UPDATE journals SET continues = NULL WHERE title = 'Day 300';
UPDATE reminders SET id = 900003 WHERE message = 'Old';
UPDATE users SET invited_by = 900001 WHERE email LIKE 'user12@%';
DELETE FROM users WHERE email LIKE 'user9@%';
DELETE FROM journals WHERE title = 'Day 20';
DELETE FROM tags WHERE name = 'Family 1';
)sql";

// An import: the reminder comes before its journal. REQUIRES: a user "old2@…".
inline constexpr const char* kEarlyReminder = R"sql(
BEGIN;
INSERT INTO reminders (user_id, journal_id, message, remind_at) VALUES (900001, 900009, 'Early', '2030-01-01');
INSERT INTO journals (id, user_id, title, body) VALUES (900009, 900001, 'Imported with its reminder', '');
COMMIT;
)sql";

inline constexpr const char* kUuidWrites[] = {
    R"sql(
INSERT INTO users (email, display_name, invited_by)
  SELECT 'new1@example.com', 'Hana', id FROM users WHERE email LIKE 'user8@%';
INSERT INTO users (id, email, display_name, invited_by)
  SELECT 'aaaaaaaa-0000-4000-8000-000000000001', 'new2@example.com', 'Ivo', id FROM users WHERE email LIKE 'new1@%';
INSERT INTO journals (user_id, title, body)
  SELECT id, 'New day ' || n, 'x' FROM users, generate_series(1, 3) AS n WHERE email LIKE 'new1@%';
INSERT INTO journals (user_id, continues, title, body)
  SELECT user_id, id, 'New day 4', 'y' FROM journals WHERE title = 'New day 1';
INSERT INTO journals (id, user_id, continues, title, body)
  SELECT 'bbbbbbbb-0000-4000-8000-000000000001', id, 'bbbbbbbb-0000-4000-8000-000000000001', 'Circle', 'z'
  FROM users WHERE email LIKE 'new1@%';
INSERT INTO tags (user_id, name) SELECT id, 'New tag' FROM users WHERE email LIKE 'new1@%';
INSERT INTO tags (name, is_shared) VALUES ('New shared tag', true);
)sql",
    // An import: the reminder comes before its journal.
    R"sql(
BEGIN;
INSERT INTO reminders (user_id, journal_id, message, remind_at)
  VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'cccccccc-0000-4000-8000-000000000001', 'Before', '2030-01-01');
INSERT INTO journals (id, user_id, title, body)
  VALUES ('cccccccc-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000001', 'Imported', '');
COMMIT;
)sql",
    // As the application's own role, to which row security applies.
    R"sql(
SET ROLE journal_app;
SET journal.user_id = 'aaaaaaaa-0000-4000-8000-000000000001';
INSERT INTO reminders (user_id, message, remind_at)
  VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'Mine', '2030-01-02');
INSERT INTO secret_tags (journal_id, user_id, tag_id)
  SELECT j.id, j.user_id, t.id FROM journals j, tags t WHERE j.title = 'New day 1' AND t.name = 'New tag';
UPDATE journals SET user_id = 'aaaaaaaa-0000-4000-8000-000000000001' WHERE title IN ('Day 4', 'New day 1');
UPDATE journals SET body = 'changed' WHERE title = 'Day 6';
RESET journal.user_id;
RESET ROLE;
)sql",
    R"sql(
UPDATE journals SET continues = (SELECT id FROM journals WHERE title = 'New day 2') WHERE title = 'Day 10';
UPDATE journals SET continues = NULL WHERE title = 'Day 296';
UPDATE users SET invited_by = 'aaaaaaaa-0000-4000-8000-000000000001' WHERE email LIKE 'user13@%';
UPDATE reminders SET journal_id = 'cccccccc-0000-4000-8000-000000000001' WHERE message = 'Mine';
UPDATE tags SET user_id = 'aaaaaaaa-0000-4000-8000-000000000001' WHERE name = 'Work 7';
UPDATE tags SET user_id = NULL, is_shared = true WHERE name = 'Health 8';
UPDATE secret_tags SET tag_id = (SELECT id FROM tags WHERE name = 'New shared tag')
  WHERE journal_id = (SELECT id FROM journals WHERE title = 'Day 12');
UPDATE reminders SET id = 'dddddddd-0000-4000-8000-000000000001' WHERE message = 'Mine';
DELETE FROM users WHERE email LIKE 'user10@%';
DELETE FROM journals WHERE title = 'Day 22';
DELETE FROM tags WHERE name = 'Dreams 4';
DELETE FROM reminders WHERE id = (SELECT id FROM reminders ORDER BY remind_at, message LIMIT 1);
DELETE FROM secret_tags WHERE journal_id = (SELECT id FROM journals WHERE title = 'Day 14');
)sql"};

}  // namespace pgsluice::test
