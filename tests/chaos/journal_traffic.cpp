#include "chaos/journal_traffic.hpp"

#include <gtest/gtest.h>

#include <iostream>

#include "chaos/journal_scripts.hpp"
#include "support/environment.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

// Every key cascades, and the twins have the foreign keys that the tables have.
constexpr const char* kTokens = R"sql(
ALTER TABLE users ADD COLUMN token text;
ALTER TABLE journals ADD COLUMN token text;
ALTER TABLE tags ADD COLUMN token text;
ALTER TABLE reminders ADD COLUMN token text;
ALTER TABLE secret_tags ADD COLUMN token text;
UPDATE users SET token = 'u' || n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n FROM users) AS t WHERE i = id;
UPDATE journals SET token = 'j' || n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n FROM journals) AS t WHERE i = id;
UPDATE tags SET token = 'g' || n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n FROM tags) AS t WHERE i = id;
UPDATE reminders SET token = 'r' || n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n FROM reminders) AS t WHERE i = id;
UPDATE secret_tags SET token = 's' || n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n FROM secret_tags) AS t WHERE i = id;
ALTER TABLE users ALTER token SET NOT NULL, ADD UNIQUE (token), DROP CONSTRAINT users_invited_by_fkey;
ALTER TABLE journals ALTER token SET NOT NULL, ADD UNIQUE (token), DROP CONSTRAINT journals_user_id_fkey,
  DROP CONSTRAINT journals_continues_fkey;
ALTER TABLE tags ALTER token SET NOT NULL, ADD UNIQUE (token), DROP CONSTRAINT tags_user_id_fkey;
ALTER TABLE reminders ALTER token SET NOT NULL, ADD UNIQUE (token), DROP CONSTRAINT reminders_user_id_fkey,
  DROP CONSTRAINT reminders_journal_id_fkey;
ALTER TABLE secret_tags ALTER token SET NOT NULL, ADD UNIQUE (token), DROP CONSTRAINT secret_tags_tag_id_fkey;
ALTER TABLE users ADD FOREIGN KEY (invited_by) REFERENCES users ON UPDATE CASCADE ON DELETE SET NULL;
ALTER TABLE journals ADD FOREIGN KEY (user_id) REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE,
  ADD FOREIGN KEY (continues) REFERENCES journals ON UPDATE CASCADE ON DELETE SET NULL;
ALTER TABLE tags ADD FOREIGN KEY (user_id) REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE reminders ADD FOREIGN KEY (user_id) REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE,
  ADD FOREIGN KEY (journal_id) REFERENCES journals ON UPDATE CASCADE ON DELETE SET NULL
    DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE secret_tags ADD FOREIGN KEY (tag_id) REFERENCES tags ON UPDATE CASCADE ON DELETE CASCADE;

CREATE TABLE twin_users (token text PRIMARY KEY, invited_by text REFERENCES twin_users ON DELETE SET NULL,
  display_name text);
CREATE TABLE twin_journals (token text PRIMARY KEY, user_token text NOT NULL REFERENCES twin_users ON DELETE CASCADE,
  continues text REFERENCES twin_journals ON DELETE SET NULL, body text, UNIQUE (token, user_token));
CREATE TABLE twin_tags (token text PRIMARY KEY, user_token text REFERENCES twin_users ON DELETE CASCADE,
  is_shared boolean);
CREATE TABLE twin_reminders (token text PRIMARY KEY, user_token text NOT NULL REFERENCES twin_users ON DELETE CASCADE,
  journal_token text REFERENCES twin_journals ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, message text);
CREATE TABLE twin_secret_tags (token text PRIMARY KEY, journal_token text, user_token text,
  tag_token text NOT NULL REFERENCES twin_tags ON DELETE CASCADE, UNIQUE (journal_token, tag_token),
  FOREIGN KEY (journal_token, user_token) REFERENCES twin_journals (token, user_token)
    ON UPDATE CASCADE ON DELETE CASCADE);
CREATE INDEX ON twin_users (invited_by);
CREATE INDEX ON twin_journals (user_token);
CREATE INDEX ON twin_journals (continues);
CREATE INDEX ON twin_tags (user_token);
CREATE INDEX ON twin_reminders (user_token);
CREATE INDEX ON twin_reminders (journal_token);
CREATE INDEX ON twin_secret_tags (tag_token);
CREATE SEQUENCE import_ids START 5000000;  -- of keys that the application gives out itself
)sql";

struct Twin {
  const char* name;
  const char* real;  // the same columns by tokens
};

constexpr Twin kTwins[] = {
    {"twin_users",
     "SELECT u.token, i.token, u.display_name FROM users u LEFT JOIN users i ON i.id = u.invited_by"},
    {"twin_journals",
     "SELECT j.token, u.token, c.token, j.body FROM journals j LEFT JOIN users u ON u.id = j.user_id "
     "LEFT JOIN journals c ON c.id = j.continues"},
    {"twin_tags", "SELECT t.token, u.token, t.is_shared FROM tags t LEFT JOIN users u ON u.id = t.user_id"},
    {"twin_reminders",
     "SELECT r.token, u.token, j.token, r.message FROM reminders r LEFT JOIN users u ON u.id = r.user_id "
     "LEFT JOIN journals j ON j.id = r.journal_id"},
    {"twin_secret_tags",
     "SELECT s.token, j.token, u.token, t.token FROM secret_tags s LEFT JOIN journals j ON j.id = "
     "s.journal_id "
     "LEFT JOIN users u ON u.id = s.user_id LEFT JOIN tags t ON t.id = s.tag_id"}};

}  // namespace

JournalTraffic::JournalTraffic(Journals& journals) : journals_(journals) {
  auto& db = journals.db();
  db.exec(kTokens);
  for (const auto& twin : kTwins) db.exec(std::string("INSERT INTO ") + twin.name + " " + twin.real);
  role_ = journals.trial().make_role("traffic", false);
  db.exec("ALTER ROLE " + role_ +
          " BYPASSRLS; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "
          "public TO " +
          role_ + "; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO " + role_ + "; ANALYZE");
}

std::unique_ptr<Pgbench> JournalTraffic::start(const std::string& script, int clients, double rate) const {
  const auto count = [&](const char* table) {
    return std::to_string(journals_.db().number(std::string("SELECT count(*) FROM twin_") + table));
  };
  return std::make_unique<Pgbench>(Traffic{.dsn = journals_.trial().dsn(role_),
                                           .script = script,
                                           .clients = clients,
                                           .rate = rate,
                                           .duration = std::chrono::hours(2),
                                           .variables = {{"users", count("users")},
                                                         {"journals", count("journals")},
                                                         {"tags", count("tags")},
                                                         {"reminders", count("reminders")},
                                                         {"secret_tags", count("secret_tags")}}});
}

void JournalTraffic::start_neutral() {
  neutral_ = start(neutral_script(), 3, long_run() ? 200 : 60);
}

void JournalTraffic::start_shaped(Shape shape, bool with_early_children) {
  shaped_ = start(shaped_script(shape == Shape::kUuid, with_early_children), 2, long_run() ? 100 : 40);
}

void JournalTraffic::await_shaped(int families) {
  const auto count = [&] {
    return journals_.db().number("SELECT count(*) FROM twin_users WHERE token LIKE 'uc%'");
  };
  const auto wanted = count() + families;
  wait_for([&] { return count() >= wanted || !shaped_->running(); },
           kPatience + std::chrono::seconds(families), "the application to go on");
}

TrafficResult JournalTraffic::stop(std::unique_ptr<Pgbench>& traffic, const char* name) {
  auto result = traffic->stop();
  traffic.reset();
  EXPECT_EQ(result.exit, (Exit{0, 0})) << name << " traffic\n" << result.report;
  EXPECT_EQ(result.failed, 0) << name << " traffic\n" << result.report;
  EXPECT_GT(result.transactions, 0) << name << " traffic";
  std::cout << name << " traffic: " << result.transactions << " transactions, p99 " << result.p99
            << " ms, longest " << result.max << " ms\n";
  return result;
}

TrafficResult JournalTraffic::stop_shaped() {
  return stop(shaped_, "shaped");
}

TrafficResult JournalTraffic::stop_neutral() {
  return stop(neutral_, "neutral");
}

void JournalTraffic::expect_as_twins() {
  auto& db = journals_.db();
  for (const auto& twin : kTwins) {
    const auto own = std::string("SELECT * FROM ") + twin.name;
    EXPECT_EQ(differences(db, twin.real, own), 0) << twin.name;
    EXPECT_GT(db.number("SELECT count(*) FROM (" + own + ") AS t"), 0) << twin.name;
  }
  EXPECT_EQ(journals_.orphans(), 0);
}

}  // namespace pgsluice::test
