// Goal: what a retype cannot carry over is refused by name before anything is written. Method: five sound
// tables with one thing wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/journals.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RetypeRefusal : public testing::Test {
 protected:
  /// run, plan and check all say it, and nothing is written.
  void expect_refusal(const std::string& what, const std::string& hint = "") {
    const auto schema = schema_of(journals_.trial());
    EXPECT_THAT(run_ok(journals_.trial().text_command("plan")), HasSubstr(what));
    const auto checked = test::run(journals_.trial().text_command("check"));
    EXPECT_EQ(checked.code(), 5);
    EXPECT_THAT(checked.out + checked.err, HasSubstr(what));
    const auto refusal = refusal_of(journals_.expect("run", 5));
    EXPECT_THAT(refusal.message + " " + refusal.hint, AllOf(HasSubstr(what), HasSubstr(hint)));
    EXPECT_EQ(schema_of(journals_.trial()), schema);
    EXPECT_THAT(
        journals_.db().column("SELECT 1 WHERE to_regclass('pgsluice.step') IS NOT NULL AND EXISTS (SELECT "
                              "FROM pg_trigger WHERE tgname ~ 'pgsluice')"),
        IsEmpty());
  }
  Db& db() { return journals_.db(); }

  Journals journals_{60};
};

TEST_F(RetypeRefusal, NamesTheColumnThatHasTheShadowsName) {
  db().exec("ALTER TABLE journals ADD COLUMN user_id_new text");
  expect_refusal("\"public\".\"journals\" already has a column \"user_id_new\"", "rename it");
}

TEST_F(RetypeRefusal, NamesTheColumnThatHasTheOldColumnsName) {
  db().exec("ALTER TABLE tags ADD COLUMN id_old integer");
  expect_refusal("\"public\".\"tags\" already has a column \"id_old\"");
}

TEST_F(RetypeRefusal, NamesTheNumbersThatAUuidCannotHold) {
  db().exec("INSERT INTO tags (id, name, is_shared) OVERRIDING SYSTEM VALUE VALUES (-5, 'Below', true)");
  expect_refusal("column \"id\" of table \"public\".\"tags\" holds numbers that do not fit into a uuid: -5",
                 "choose another");
}

TEST_F(RetypeRefusal, NamesTheTriggerThatMayChangeAKeyAfterOurs) {
  db().exec(
      "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
      "CREATE TRIGGER zzzz_late BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION late();"
      "CREATE TRIGGER zzzz_afterwards AFTER INSERT ON tags FOR EACH ROW EXECUTE FUNCTION late()");
  expect_refusal("trigger \"zzzz_late\" of table \"public\".\"tags\"", "before zzz_pgsluice_ids_");
  db().exec("ALTER TRIGGER zzzz_late ON tags RENAME TO late");
  journals_.make_ready();
}

TEST_F(RetypeRefusal, WarnsOfRolesThatWouldHaveToDrawOldKeys) {
  const auto role = journals_.trial().make_role("importer", false);
  db().exec("GRANT INSERT ON users, journals TO " + role);
  const auto told = run_ok(journals_.trial().text_command("check"));
  EXPECT_THAT(
      told, HasSubstr(role + " may insert into \"public\".\"users\", but not draw from public.users_id_seq"));
  db().exec("GRANT USAGE ON SEQUENCE users_id_seq TO " + role);
  EXPECT_THAT(run_ok(journals_.trial().text_command("check")), Not(HasSubstr("but not draw from")));
}

TEST_F(RetypeRefusal, NamesTheDefaultOfAReferenceWhoseKeyIsDrawn) {
  db().exec("ALTER TABLE journals ALTER COLUMN user_id SET DEFAULT 1");
  journals_.set_mapping("mapping = \"random\"");
  expect_refusal("column \"user_id\" of table \"public\".\"journals\" has a default, 1", "drop the default");
}

TEST_F(RetypeRefusal, NamesTheTableWithoutAPrimaryKey) {
  db().exec("ALTER TABLE reminders DROP CONSTRAINT reminders_pkey");
  expect_refusal("table \"reminders\" has no primary key");
}

TEST_F(RetypeRefusal, NamesTheTableThatIsMissing) {
  db().exec("DROP TABLE secret_tags");
  expect_refusal("there is no table");
}

TEST_F(RetypeRefusal, NamesTheChildWithoutAPrimaryKey) {
  db().exec("CREATE TABLE visits (user_id integer REFERENCES users)");
  expect_refusal("table \"public\".\"visits\" has no primary key", "add one");
}

TEST_F(RetypeRefusal, NamesTheIndexWithAnOperatorClassOfItsOwn) {
  db().exec("CREATE INDEX users_near ON users USING brin (id int4_minmax_multi_ops)");
  expect_refusal("index \"users_near\" of table \"public\".\"users\" cannot be built over the new column",
                 "drop it");
}

TEST_F(RetypeRefusal, NamesTheIndexWhoseMethodKnowsNothingOfTheNewType) {
  db().exec("CREATE INDEX users_double ON users ((id * 2))");
  expect_refusal("users_double");
}

TEST_F(RetypeRefusal, NamesTheCheckThatMeansNothingForUuids) {
  db().exec("ALTER TABLE users ADD CONSTRAINT users_positive CHECK (id > 0)");
  expect_refusal("constraint \"users_positive\" of table \"public\".\"users\" is not valid for the new type",
                 "drop it");
}

TEST_F(RetypeRefusal, NamesTheForeignKeyToATableThatDoesNotChange) {
  db().exec(
      "CREATE TABLE accounts (id integer PRIMARY KEY);"
      "INSERT INTO accounts SELECT id FROM users;"
      "ALTER TABLE users ADD CONSTRAINT users_account FOREIGN KEY (id) REFERENCES accounts");
  expect_refusal("foreign key \"users_account\"", "add that table");
}

TEST_F(RetypeRefusal, NamesTheMaterialisedView) {
  db().exec("CREATE MATERIALIZED VIEW busy AS SELECT user_id, count(*) FROM journals GROUP BY 1");
  expect_refusal("busy");
}

TEST_F(RetypeRefusal, NamesTheGeneratedColumn) {
  db().exec("ALTER TABLE tags ADD COLUMN label text GENERATED ALWAYS AS (name || id) STORED");
  expect_refusal("label");
}

TEST_F(RetypeRefusal, NamesTheExclusionConstraint) {
  db().exec("ALTER TABLE tags ADD CONSTRAINT tags_apart EXCLUDE USING btree (id WITH =)");
  expect_refusal("tags_apart");
}

TEST_F(RetypeRefusal, TellsEverythingAtOnce) {
  db().exec(
      "ALTER TABLE users ADD CONSTRAINT users_positive CHECK (id > 0);"
      "ALTER TABLE journals ADD COLUMN id_new uuid");
  EXPECT_THAT(test::run(journals_.trial().text_command("check")).out,
              AllOf(HasSubstr("users_positive"), HasSubstr("already has a column \"id_new\"")));
}

TEST_F(RetypeRefusal, IsOverWhenTheObstacleIsGone) {
  db().exec("ALTER TABLE users ADD CONSTRAINT users_positive CHECK (id > 0)");
  journals_.expect("run", 5);
  db().exec("ALTER TABLE users DROP CONSTRAINT users_positive");
  journals_.make_ready();
}

TEST_F(RetypeRefusal, OfAPolicyThatMeansNothingForUuidsComesBeforeTheFirstWrite) {
  db().exec(
      "CREATE POLICY mine ON reminders USING (user_id = current_setting('journal.number', true)::integer)");
  expect_refusal("mine");
}

TEST_F(RetypeRefusal, OfAConditionThatMeansNothingForUuidsComesBeforeTheFirstWrite) {
  db().exec(
      "CREATE TRIGGER early BEFORE UPDATE ON tags FOR EACH ROW WHEN (NEW.user_id < OLD.user_id + 1000) "
      "EXECUTE FUNCTION note_move()");
  expect_refusal("early");
}

TEST_F(RetypeRefusal, OfAnIndexConditionThatMeansNothingForUuidsComesBeforeTheFirstWrite) {
  db().exec("CREATE INDEX users_late ON users (email) WHERE id > 100");
  expect_refusal("users_late");
}

TEST_F(RetypeRefusal, IsNotForViewsThatMeanTheSameForUuids) {
  db().exec(
      "CREATE VIEW writers AS SELECT u.id, u.email, count(*) FROM users u JOIN journals j ON j.user_id = "
      "u.id GROUP BY "
      "u.id;"
      "CREATE VIEW busy_writers AS SELECT w.*, (SELECT max(f.title) FROM journal_feed f WHERE f.user_id = "
      "w.id) AS last "
      "FROM writers w WHERE w.count > 2 AND w.id IN (SELECT user_id FROM reminders);"
      "CREATE POLICY theirs ON reminders TO journal_support USING (EXISTS (SELECT FROM journals j WHERE j.id "
      "= "
      "reminders.journal_id AND j.user_id = reminders.user_id))");
  journals_.make_ready();
  journals_.expect("cutover", 0);
  EXPECT_GT(db().number("SELECT count(*) FROM busy_writers"), 0);
}

TEST_F(RetypeRefusal, OfAViewThatMeansNothingForUuidsComesBeforeTheFirstWrite) {
  db().exec("CREATE VIEW newcomers AS SELECT id FROM users WHERE id > 1000");
  expect_refusal("newcomers");
}

}  // namespace
}  // namespace pgsluice::test
