// Goal: a folder of jobs is applied in order, looked at as a whole, taken back to a job, and taken over from
// others. Method: the program on small folders; what it says is compared with the table that the jobs change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "pg/folder_trial.hpp"
#include "support/environment.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ----- run

TEST(Folder, IsAppliedInByteOrderOfItsFileNames) {
  FolderTrial jobs;
  jobs.add("b.toml", "second");
  jobs.add("B.toml", "first");
  jobs.add("b-10.toml", "third_by_dash");
  const auto finished = jobs.verb("run");
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_THAT(jobs.db().column("SELECT name FROM pgsluice.job ORDER BY job_id"),
              ElementsAre("first", "third_by_dash", "second"));
}

TEST(Folder, SkipsWhatIsAppliedAndStopsAtTheFirstFailure) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  ASSERT_EQ(jobs.verb("run").code(), 0);
  jobs.write("2.toml", sql_job_of("two", "ALTER TABLE absent ADD COLUMN v int"));
  jobs.add("3.toml", "three");
  const auto failed = jobs.verb("run");
  EXPECT_EQ(failed.code(), 1) << failed.out << failed.err;
  EXPECT_FALSE(jobs.has_column("three"));
  ASSERT_EQ(events_of(failed.out, "job_applied").size(), 1U);
  EXPECT_EQ(events_of(failed.out, "job_applied").front().at("job"), "one");
  EXPECT_EQ(jobs.db().number("SELECT count(*) FROM pgsluice.run r JOIN pgsluice.job j USING (job_id) "
                             "WHERE j.name = 'one'"),
            1)
      << "no second run of a job that is applied";
  jobs.db().exec("CREATE TABLE absent (id int)");
  EXPECT_EQ(jobs.verb("run").code(), 0);
  EXPECT_TRUE(jobs.has_column("three"));
}

TEST(Folder, HeedsAWordAboutAnAppliedJob) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(jobs.verb("run").code(), 0);
  ASSERT_EQ(jobs.on_job("cancel", {"two"}).code(), 0);
  EXPECT_EQ(jobs.verb("run").code(), 7) << "as a run of that job alone would end";
}

// ----- status

TEST(FolderStatus, TellsWhereEveryJobStands) {
  FolderTrial jobs;
  jobs.add("1.toml", "applied");
  jobs.add("2.toml", "changed");
  jobs.add("3.toml", "undone");
  ASSERT_EQ(jobs.verb("run").code(), 0);
  ASSERT_EQ(jobs.verb("rollback", {"--to", "changed"}).code(), 0);
  jobs.write("2.toml", sql_job_of("changed", "ALTER TABLE t ADD COLUMN changed bigint"));
  jobs.write("4.toml", sql_job_of("failed", "ALTER TABLE absent ADD COLUMN v int"));
  ASSERT_EQ(test::run(pgsluice({"run", jobs.path() + "/4.toml", "--dsn", jobs.trial().dsn()})).code(), 1);
  jobs.add("5.toml", "pending");

  EXPECT_THAT(jobs.states(), ElementsAre("applied", "changed since", "rolled back", "failed", "pending"));
  EXPECT_THAT(jobs.standing("applied").at("since").get<std::string>(), HasSubstr("T")) << "when";
  EXPECT_EQ(jobs.standing("pending").at("since"), "");
  EXPECT_THAT(jobs.standing("failed").at("reason").get<std::string>(),
              HasSubstr("\"absent\" does not exist"));
  EXPECT_THAT(jobs.standing("changed").at("difference").dump(),
              AllOf(HasSubstr("- up = ALTER TABLE t ADD COLUMN changed int"),
                    HasSubstr("+ up = ALTER TABLE t ADD COLUMN changed bigint")));
}

TEST(FolderStatus, TellsALiveRunFromAKilledOne) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  Db locker(jobs.trial().dsn());
  locker.exec("BEGIN; LOCK TABLE t");
  Process process(jobs.trial().command("run"));
  const auto has_begun = [&] {
    return jobs.db().yes("SELECT to_regclass('pgsluice.step') IS NOT NULL") &&
           jobs.db().yes("SELECT EXISTS (SELECT FROM pgsluice.step WHERE state = 'running')");
  };
  wait_for(has_begun, "the step");
  EXPECT_THAT(jobs.states(), ElementsAre("in progress"));
  kill_program(jobs.trial(), process);
  EXPECT_THAT(jobs.states(), ElementsAre("interrupted"));
}

TEST(FolderStatus, NamesJobsThatTheFolderDoesNotHave) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(jobs.verb("run").code(), 0);
  std::filesystem::remove(jobs.path() + "/2.toml");
  EXPECT_THAT(jobs.states(), ElementsAre("applied", "applied"));
  ASSERT_EQ(jobs.status().at("not_in_folder").size(), 1U);
  EXPECT_EQ(jobs.status().at("not_in_folder").at(0).at("name"), "two");
}

TEST(FolderStatus, WritesNothingAndNeedsNoLedger) {
  FolderTrial jobs;
  jobs.add_three();
  EXPECT_THAT(jobs.states(), ElementsAre("pending", "pending", "pending"));
  EXPECT_TRUE(jobs.trial().is_untouched());
  const auto text = run_ok(jobs.trial().text_command("status"));
  EXPECT_THAT(text, AllOf(HasSubstr("1.toml"), HasSubstr("3 pending")));
}

TEST(FolderStatus, ShowsTheVersionTablesOfOtherTools) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.db().exec(
      "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version "
      "VALUES ('ae10')");
  jobs.db().exec(
      "CREATE SCHEMA \"Rails App\"; CREATE TABLE \"Rails App\".schema_migrations (version varchar PRIMARY "
      "KEY); "
      "INSERT INTO \"Rails App\".schema_migrations VALUES ('20250101000000'), ('20260101000000'), ('99')");
  jobs.db().exec(
      "CREATE SCHEMA gomig; CREATE TABLE gomig.schema_migrations (version bigint PRIMARY KEY, dirty boolean "
      "NOT "
      "NULL); INSERT INTO gomig.schema_migrations VALUES (7, true)");
  jobs.db().exec(
      "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version text, success boolean);"
      "INSERT INTO flyway_schema_history VALUES (1, '1.0', true), (2, '1.1', true), (3, NULL, true), (4, "
      "'1.2', false)");
  jobs.db().exec("CREATE SCHEMA own; CREATE TABLE own.schema_migrations (id int)");

  std::map<std::string, Json> found;
  const auto status = jobs.status();
  for (const auto& tool : status.at("other_tools")) found[tool.at("tool")] = tool;
  ASSERT_EQ(found.size(), 4U) << status;
  EXPECT_EQ(found["Alembic"].at("version"), "ae10");
  EXPECT_EQ(found["Rails"].at("version"), "20260101000000");
  EXPECT_EQ(found["Rails"].at("table"), "\"Rails App\".\"schema_migrations\"");
  EXPECT_EQ(found["golang-migrate"].at("version"), "7");
  EXPECT_THAT(found["golang-migrate"].at("remark").get<std::string>(), HasSubstr("half-way"));
  EXPECT_EQ(found["Flyway"].at("version"), "1.1");
  EXPECT_THAT(found["Flyway"].at("remark").get<std::string>(), HasSubstr("failed"));
}

TEST(FolderStatus, PassesOverVersionTablesThatItMayNotRead) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.db().exec("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('x')");
  jobs.trial().connect_as(jobs.trial().dsn(jobs.trial().make_role("reader")));
  EXPECT_THAT(jobs.status().at("other_tools"), IsEmpty());
}

// ----- plan, check, verify

TEST(FolderLook, PlansAndChecksWhatIsNotApplied) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(test::run(pgsluice({"run", jobs.path() + "/1.toml", "--dsn", jobs.trial().dsn()})).code(), 0);
  const auto plan = jobs.verb("plan");
  ASSERT_EQ(plan.code(), 0) << plan.err;
  const auto planned = Json::parse(plan.out).at("jobs");
  ASSERT_EQ(planned.size(), 3U);
  EXPECT_EQ(planned.at(0).at("state"), "applied");
  EXPECT_THAT(planned.at(1).at("steps").dump(), HasSubstr("ADD COLUMN two int"));
  const auto check = jobs.verb("check");
  ASSERT_EQ(check.code(), 0) << check.err;
  EXPECT_EQ(Json::parse(check.out).at("jobs").at(2).at("is_refused"), false);
  const auto text = test::run(jobs.trial().text_command("plan"));
  EXPECT_THAT(text.out, AllOf(HasSubstr("job \"one\" is applied"), HasSubstr("ADD COLUMN three int")));
}

TEST(FolderLook, CheckEndsAsTheFirstJobThatRunWouldRefuse) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.write("2.toml",
             "name = \"two\"\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"absent\"\nset = { v "
             "= \"1\" }\n");
  const auto check = jobs.verb("check");
  EXPECT_EQ(check.code(), 5) << check.out << check.err;
  EXPECT_THAT(check.out, HasSubstr("absent"));
}

TEST(FolderLook, VerifiesWhatIsAppliedAndNamesTheRest) {
  FolderTrial jobs;
  const auto proof = [](const std::string& name, const std::string& expect) {
    return "name = \"" + name +
           "\"\n[[step]]\nkind = \"verify\"\nname = \"count\"\nquery = \"SELECT count(*) FROM t\"\nexpect = "
           "\"" +
           expect + "\"\n";
  };
  jobs.write("1.toml", proof("one", "10"));
  ASSERT_EQ(jobs.verb("run").code(), 0);
  jobs.write("2.toml", proof("two", "11"));
  const auto right = jobs.verb("verify");
  EXPECT_EQ(right.code(), 0) << right.out << right.err;
  ASSERT_EQ(events_of(right.out, "not_verified").size(), 1U);
  EXPECT_EQ(events_of(right.out, "not_verified").front().at("state"), "pending");
  jobs.db().exec("INSERT INTO t VALUES (11)");
  EXPECT_EQ(jobs.verb("verify").code(), 4);
}

// ----- twins

TEST(Folder, RefusesTwoFilesWithOneJobName) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.write("2.toml", sql_job_of("one", "ALTER TABLE t ADD COLUMN other int"));
  for (const char* verb : {"run", "status", "plan", "check", "verify"}) {
    const auto finished = jobs.verb(verb);
    EXPECT_EQ(finished.code(), 78) << verb;
    EXPECT_THAT(refusal_of(finished).message,
                AllOf(HasSubstr("1.toml"), HasSubstr("2.toml"), HasSubstr("\"one\"")));
  }
  EXPECT_TRUE(jobs.trial().is_untouched());
}

TEST(Folder, RefusesOneDefinitionUnderTwoNames) {
  FolderTrial jobs;
  jobs.write("1.toml", sql_job_of("one", "ALTER TABLE t ADD COLUMN v int"));
  jobs.write("2.toml", sql_job_of("two", "alter table t  add column v int"));
  const auto finished = jobs.verb("run");
  EXPECT_EQ(finished.code(), 78);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("1.toml"), HasSubstr("2.toml")));
  EXPECT_TRUE(jobs.trial().is_untouched());
}

// ----- rollback

TEST(FolderRollback, TakesBackAllJobsBehindTheNamedOneLastFirst) {
  FolderTrial jobs;
  jobs.add_three();
  jobs.add("4.toml", "four");
  ASSERT_EQ(jobs.verb("run").code(), 0);
  const auto finished = jobs.verb("rollback", {"--to", "two"});
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_THAT(jobs.states(), ElementsAre("applied", "applied", "rolled back", "rolled back"));
  EXPECT_TRUE(jobs.has_column("two"));
  EXPECT_FALSE(jobs.has_column("three"));
  const auto told = events_of(finished.out, "folder_rollback");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().at("jobs").at(0).at("job"), "four");
  EXPECT_LT(finished.out.find("folder_rollback"), finished.out.find("summary")) << "told before it is done";
  EXPECT_THAT(jobs.db().column("SELECT name FROM pgsluice.job WHERE state = 'rolled back' ORDER BY ended_at"),
              ElementsAre("four", "three"));
  EXPECT_EQ(jobs.verb("run").code(), 0) << "and can be applied again";
  EXPECT_TRUE(jobs.has_column("four"));
}

TEST(FolderRollback, TouchesNothingUnlessAllOfThemCanBeTakenBack) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.add("2.toml", "two", "# no way back");
  jobs.add("3.toml", "three");
  ASSERT_EQ(jobs.verb("run").code(), 0);
  const auto finished = jobs.verb("rollback", {"--to", "one"});
  EXPECT_EQ(finished.code(), 5);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("2.toml"), HasSubstr("no `down`")));
  EXPECT_TRUE(jobs.has_column("three"));
  EXPECT_THAT(jobs.states(), ElementsAre("applied", "applied", "applied"));
  EXPECT_EQ(jobs.verb("rollback", {"--to", "two"}).code(), 0) << "the obstacle stays where it is";
  EXPECT_FALSE(jobs.has_column("three"));
}

TEST(FolderRollback, NeedsAJobOfTheFolderToGoBackTo) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(jobs.verb("run").code(), 0);
  EXPECT_EQ(jobs.verb("rollback").code(), 2);
  EXPECT_EQ(jobs.verb("rollback", {"--to", "nobody"}).code(), 10);
  EXPECT_EQ(jobs.verb("rollback", {"--to", "three"}).code(), 0) << "nothing is behind it";
  EXPECT_TRUE(jobs.has_column("three"));
}

TEST(FolderRollback, RefusesWhileOneOfThemRuns) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(jobs.verb("run").code(), 0);
  jobs.add("4.toml", "four");
  Db locker(jobs.trial().dsn());
  locker.exec("BEGIN; LOCK TABLE t");
  Process process(jobs.trial().command("run"));
  const auto has_begun = [&] {
    return jobs.db().yes("SELECT EXISTS (SELECT FROM pgsluice.step WHERE state = 'running')");
  };
  wait_for(has_begun, "the step");
  const auto finished = jobs.verb("rollback", {"--to", "one"});
  EXPECT_EQ(finished.code(), 5);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("4.toml"), HasSubstr("live run")));
  locker.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0);
  EXPECT_TRUE(jobs.has_column("three"));
}

// ----- resolve

TEST(ResolveJob, MarksAllStepsBothWaysAndSaysWhoAndWhy) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  ASSERT_EQ(jobs.verb("run").code(), 0);
  jobs.db().exec("ALTER TABLE t DROP COLUMN one");
  ASSERT_EQ(jobs.on_job("resolve", {"one", "--rolled-back", "--reason", "dropped by hand"}).code(), 0);
  EXPECT_THAT(jobs.states(), ElementsAre("rolled back"));
  ASSERT_EQ(jobs.verb("run").code(), 0);
  EXPECT_TRUE(jobs.has_column("one")) << "it runs again from the beginning";
  const auto said = jobs.trial().logged("command");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said.front().at("verb"), "resolve");
  EXPECT_EQ(said.front().at("arguments"), "--rolled-back");
  EXPECT_EQ(said.front().at("reason"), "dropped by hand");
  EXPECT_THAT(said.front().at("actor").get<std::string>(), HasSubstr("@"));
}

TEST(ResolveJob, AppliedEndsAJobThatFailed) {
  FolderTrial jobs;
  jobs.write("1.toml",
             sql_job_of("one", "ALTER TABLE absent ADD COLUMN v int") +
                 "[[step]]\nkind = \"verify\"\nname = \"never\"\nquery = \"SELECT 1\"\nexpect = \"2\"\n");
  ASSERT_EQ(jobs.verb("run").code(), 1);
  ASSERT_EQ(jobs.on_job("resolve", {"one", "--applied"}).code(), 0);
  EXPECT_THAT(jobs.states(), ElementsAre("applied"));
  EXPECT_EQ(jobs.verb("run").code(), 0) << "nothing is left to run";
}

TEST(ResolveJob, IsRefusedWhileARunIsLive) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  Db locker(jobs.trial().dsn());
  locker.exec("BEGIN; LOCK TABLE t");
  Process process(jobs.trial().command("run"));
  const auto has_begun = [&] {
    return jobs.db().yes("SELECT to_regclass('pgsluice.step') IS NOT NULL") &&
           jobs.db().yes("SELECT EXISTS (SELECT FROM pgsluice.step WHERE state = 'running')");
  };
  wait_for(has_begun, "the step");
  const auto finished = jobs.on_job("resolve", {"one", "--applied"});
  EXPECT_EQ(finished.code(), 5);
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("live run"));
  kill_program(jobs.trial(), process);
  EXPECT_EQ(jobs.on_job("resolve", {"one", "--rolled-back"}).code(), 0) << "it is known to be gone";
}

// ----- adopt

TEST(Adopt, NotesJobsAsAppliedWithoutRunningThem) {
  FolderTrial jobs;
  jobs.add_three();
  const auto finished = jobs.verb("adopt", {"--up-to", "two", "--reason", "applied by Rails"});
  ASSERT_EQ(finished.code(), 0) << finished.err;
  EXPECT_THAT(jobs.states(), ElementsAre("applied", "applied", "pending"));
  EXPECT_FALSE(jobs.has_column("one"));
  const auto said = jobs.trial().logged("command");
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said.front().at("verb"), "adopt");
  EXPECT_EQ(said.front().at("reason"), "applied by Rails");
  EXPECT_THAT(said.front().at("actor").get<std::string>(), HasSubstr("@"));
  ASSERT_EQ(jobs.verb("run").code(), 0);
  EXPECT_FALSE(jobs.has_column("one"));
  EXPECT_TRUE(jobs.has_column("three"));
}

TEST(Adopt, GoesOnWhereAnEarlierAdoptionEnded) {
  FolderTrial jobs;
  jobs.add_three();
  ASSERT_EQ(jobs.verb("adopt", {"--up-to", "1.toml"}).code(), 0);
  const auto finished = jobs.verb("adopt", {"--up-to", "two"});
  ASSERT_EQ(finished.code(), 0) << finished.err;
  EXPECT_EQ(events_of(finished.out, "adopted").front().at("jobs"), Json({"two"}));
}

TEST(Adopt, RefusesAllIfOneHasBegun) {
  FolderTrial jobs;
  jobs.add("1.toml", "one");
  jobs.write("2.toml", sql_job_of("two", "ALTER TABLE absent ADD COLUMN v int"));
  jobs.add("3.toml", "three");
  ASSERT_EQ(test::run(pgsluice({"run", jobs.path() + "/2.toml", "--dsn", jobs.trial().dsn()})).code(), 1);
  const auto finished = jobs.verb("adopt", {"--up-to", "three"});
  EXPECT_EQ(finished.code(), 5);
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("2.toml"), HasSubstr("failed")));
  EXPECT_THAT(jobs.states(), ElementsAre("pending", "failed", "pending"));
}

}  // namespace
}  // namespace pgsluice::test
