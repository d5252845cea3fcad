// Goal: the archive of a purge gets every row that is deleted, as it was, or the purge is refused with what
// does not fit. Method: the real program, with archives made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/purge_trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(PurgeTest, CompletesAnArchiveAndFillsItByName) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE kept (body text, id bigint GENERATED ALWAYS AS IDENTITY, moved_at timestamptz DEFAULT "
      "now())");
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  EXPECT_THAT(run_ok(trial_.text_command("plan")),
              HasSubstr("ALTER TABLE \"public\".\"kept\" ADD COLUMN \"tenant\" integer, "));
  expect_exit(0, trial_.run());
  EXPECT_EQ(
      trial_.db().number(
          "SELECT count(*) FROM kept k JOIN was w ON w.id = k.id AND w.body IS NOT DISTINCT FROM "
          "k.body AND w.created_at = k.created_at AND w.loud IS NOT DISTINCT FROM k.loud AND k.moved_at "
          "IS NOT NULL"),
      1000);
  expect_exact("");
}

TEST_F(PurgeTest, RefusesAnArchiveThatCouldLoseRows) {
  make_audit();
  const std::string like = "DROP TABLE IF EXISTS kept CASCADE; CREATE TABLE kept (LIKE audit); ";
  const std::vector<std::pair<std::string, std::string>> all{
      {"ALTER TABLE kept ALTER body TYPE varchar(10)", "has column \"body\" as character varying(10)"},
      {"ALTER TABLE kept SET UNLOGGED", "is unlogged"},
      {"ALTER TABLE kept ADD why text NOT NULL", "has column \"why\", which must have a value"},
      {"CREATE RULE no AS ON INSERT TO kept DO INSTEAD NOTHING", "has rule \"no\""},
      {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER no "
       "BEFORE INSERT "
       "ON kept FOR EACH ROW EXECUTE FUNCTION f()",
       "has trigger \"no\""},
      {"ALTER TABLE kept DROP loud, ADD loud text GENERATED ALWAYS AS (lower(body)) STORED",
       "computes column \"loud\" otherwise than"},
      {"DROP TABLE kept; CREATE VIEW kept AS SELECT * FROM audit", "is not a table"},
  };
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  for (const auto& [sql, message] : all) {
    trial_.db().exec("DROP VIEW IF EXISTS kept");
    trial_.db().exec(like + sql);
    const auto refused = trial_.run();
    expect_exit(5, refused);
    EXPECT_THAT(refusal_of(refused).message, HasSubstr(message));
    if (message == "is not a table")
      trial_.db().exec("DROP VIEW kept");
    else
      trial_.db().exec("DROP TABLE kept CASCADE");
  }
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"public.audit\""));
  EXPECT_THAT(refusal_of(trial_.run()).message, HasSubstr("is the purged table"));
  EXPECT_EQ(count("audit"), 3000);
}

TEST_F(PurgeTest, TellsWhichTriggersAnArchiveFires) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE kept (LIKE audit); ALTER TABLE kept DROP loud, ADD loud text GENERATED ALWAYS AS "
      "(upper(body)) STORED; CREATE TABLE seen (id bigint);"
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (NEW.id); "
      "RETURN "
      "NULL; END'; CREATE TRIGGER note AFTER INSERT ON kept FOR EACH ROW EXECUTE FUNCTION note()");
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  EXPECT_THAT(trial_.verb("check").out, AllOf(HasSubstr("archives fires trigger"), HasSubstr("note")));
  EXPECT_THAT(run_ok(trial_.text_command("plan")),
              HasSubstr("fires for every row archived: trigger \"note\""));
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("seen"), 1000);
  EXPECT_EQ(
      trial_.db().number(
          "SELECT count(*) FROM kept k JOIN was w ON w.id = k.id AND w.loud IS NOT DISTINCT FROM k.loud"),
      1000);
}

TEST_F(PurgeTest, LetsNoColumnFallBetweenTableAndArchive) {
  for (const auto* walk : {"keyset", "blocks"}) {
    trial_.db().exec("DROP TABLE IF EXISTS audit, was, kept; DROP TYPE IF EXISTS mood, pair");
    make_audit();
    trial_.job("name = \"" + std::string(walk) + "\"\n" +
               purge_job("audit", where(kOld) + "archive_to = \"kept\"\nwalk = \"" + walk + "\"",
                         "[batch]\nrows = 20\nrows_min = 20\nrows_max = 20\n[pool]\nlanes = 1\n")
                   .substr(11));
    Process running(trial_.command("run"));
    wait_for([&] { return count("audit") < 3000 || !running.running(); }, "rows to be purged");
    running.signal(SIGSTOP);
    ASSERT_GT(count("audit WHERE created_at < now() - interval '90 days'"), 0) << running.err();
    trial_.db().exec("ALTER TABLE audit ADD COLUMN note text DEFAULT 'x'");
    running.signal(SIGCONT);
    EXPECT_EQ(running.wait().code, 1) << running.err();
    EXPECT_THAT(running.err(), HasSubstr("columns have changed"));
    expect_exit(0, trial_.run());
    EXPECT_EQ(count("kept"), 1000);
    EXPECT_EQ(count("audit"), 2000);
  }
}

TEST_F(PurgeTest, TakesNoRowAwayThatTheArchiveDoesNotGet) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE line (id int PRIMARY KEY, audit_id bigint REFERENCES audit ON DELETE CASCADE);"
      "INSERT INTO line SELECT g, g FROM generate_series(1, 3000) g; CREATE INDEX ON line (audit_id); "
      "ANALYZE");
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  EXPECT_THAT(refusal_of(trial_.run()).message, HasSubstr("do not go to the archive"));
  EXPECT_EQ(count("line"), 3000);
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\"\nallow_effects_on = [\"line\"]"));
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("line"), 2000);
  expect_exact();
}

}  // namespace
}  // namespace pgsluice::test
