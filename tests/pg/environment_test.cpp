// Goal: in an environment that asks first nothing begins without a word, nor with a warning of check that
// nobody accepted; elsewhere nothing changes. Method: one small backfill whose trigger makes check warn, at a
// terminal that script(1) makes and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJob = R"toml(
name = "word"
[env.production]
[env.live]
confirm = true
[env.dev]
[[step]]
kind = "sql"
name = "add"
up = "ALTER TABLE t ADD COLUMN done boolean"
down = "ALTER TABLE t DROP COLUMN done"
[[step]]
kind = "backfill"
name = "fill"
table = "t"
set = { done = "true" }
where = "done IS NULL"
)toml";

class Environment : public testing::Test {
 protected:
  Environment() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, w text); INSERT INTO t SELECT g FROM generate_series(1, 500) g; "
        "ANALYZE t");
    trial_.job(kJob);
  }

  /// From now on check warns of "triggers"; rows above `fails_from` cannot be changed.
  void add_trigger(int fails_from = 1'000'000) {
    trial_.db().exec(
        "CREATE OR REPLACE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id > " +
        std::to_string(fails_from) +
        " THEN RAISE 'not this one'; END IF; RETURN NEW; END$$; "
        "CREATE OR REPLACE TRIGGER look BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION look()");
  }

  Refusal refused(const std::string& verb, const std::vector<std::string>& args) {
    const auto finished = trial_.verb(verb, args);
    EXPECT_EQ(finished.code(), 5) << verb << finished.out << finished.err;
    return refusal_of(finished);
  }
  void expect(const std::string& verb, int code, const std::vector<std::string>& args) {
    const auto finished = trial_.verb(verb, args);
    EXPECT_EQ(finished.code(), code) << verb << finished.out << finished.err;
  }

  /// The verb at a terminal, where `answer` is typed.
  Finished at_terminal(const std::string& verb, const std::string& answer, const std::string& args) {
    const auto program = trial_.text_command(verb);
    const auto line = "'" + program.program + "' " + verb + " '" + program.args[1] + "' " + args;
    return test::run({.program = "sh",
                      .args = {"-c", "echo " + answer + " | script -qec \"" + line + "\" /dev/null"},
                      .env = {{"DATABASE_URL", trial_.dsn()}}},
                     2 * kPatience);
  }

  Trial trial_;
};

TEST_F(Environment, WantsAWordWhereNobodyCanBeAsked) {
  for (const std::string name : {"production", "live"}) {
    const auto refusal = refused("run", {"--env", name});
    EXPECT_THAT(refusal.message, AllOf(HasSubstr("environment \"" + name + "\""), HasSubstr("before run")));
    EXPECT_THAT(refusal.hint, HasSubstr("--yes"));
  }
  EXPECT_TRUE(trial_.is_untouched());
  expect("run", 0, {"--env", "live", "--yes"});
  EXPECT_THAT(refused("rollback", {"--env", "live"}).message, HasSubstr("before roll back"));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE done"), 500);
  expect("rollback", 0, {"--env", "live", "--yes"});
  expect("run", 0, {"--env", "dev"});
  expect("rollback", 0, {});
}

TEST_F(Environment, AsksOnceAtATerminal) {
  auto finished = at_terminal("run", "n", "--env production");
  EXPECT_EQ(finished.code(), 5) << finished.out;
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr("This will run job \"word\" on database \"" + trial_.database() + "\""),
                    HasSubstr("in environment \"production\"."), HasSubstr("Continue? [y/N]"),
                    HasSubstr("nothing was done")));
  EXPECT_TRUE(trial_.is_untouched());
  finished = at_terminal("run", "y", "--env production");
  EXPECT_EQ(finished.code(), 0) << finished.out;
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE done"), 500);
  finished = at_terminal("rollback", "y", "--env production");
  EXPECT_EQ(finished.code(), 0) << finished.out;
  EXPECT_THAT(finished.out, HasSubstr("This will roll back job \"word\""));
}

TEST_F(Environment, WantsAWordForTheCutoverToo) {
  trial_.job(
      "name = \"ids\"\n[env.live]\nconfirm = true\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = "
      "[\"t\"]\nto = \"bigint\"\n");
  expect("run", 9, {});
  EXPECT_THAT(refused("cutover", {"--env", "live"}).message, HasSubstr("before cut over"));
  expect("cutover", 0, {"--env", "live", "--yes"});
}

TEST_F(Environment, StopsAtAWarningUntilItIsAccepted) {
  add_trigger();
  trial_.db().exec("ALTER TABLE t ADD COLUMN done boolean");
  trial_.job(backfill_job("t", "done = \"true\"", "where = 'done IS NULL'", "[env.production]"));
  const auto stopped = trial_.run({"--env", "production", "--yes"});
  EXPECT_EQ(stopped.code(), 5) << stopped.out << stopped.err;
  EXPECT_THAT(refusal_of(stopped).hint, HasSubstr("--accept triggers"));
  ASSERT_EQ(events_of(stopped.out, "warning").size(), 1U);
  EXPECT_TRUE(trial_.is_untouched());
  expect("run", 2, {"--env", "production", "--yes", "--accept", "trigger"});
  const auto accepted = trial_.run({"--env", "production", "--yes", "--accept", "triggers,slots"});
  EXPECT_EQ(accepted.code(), 0) << accepted.out << accepted.err;
  const auto told = events_of(accepted.out, "warning");
  ASSERT_FALSE(told.empty()) << "an accepted warning is still shown";
  EXPECT_THAT(told[0]["message"].get<std::string>(), HasSubstr("triggers: every row"));
}

TEST_F(Environment, LetsAWarningPassElsewhere) {
  add_trigger();
  expect("run", 0, {"--env", "dev"});
}

TEST_F(Environment, DoesNotStopAJobThatHasBegunAtItsOwnWarnings) {
  add_trigger(400);
  // The column is not there yet, so that check has its say only on what is there.
  expect("run", 1, {"--env", "live", "--yes", "--accept", "triggers"});
  add_trigger();
  const auto resumed = trial_.run({"--env", "live", "--yes"});
  EXPECT_EQ(resumed.code(), 0) << resumed.out << resumed.err;
  EXPECT_FALSE(events_of(resumed.out, "warning").empty()) << "it is shown all the same";
  expect("rollback", 0, {"--env", "live", "--yes"});
}

TEST(EnvironmentOnAServerOfItsOwn, StopsAJobThatHasBegunAtWhatOthersDo) {
  PrivateServer server({.settings = {{"max_prepared_transactions", "2"}}});
  Trial trial(server);
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g FROM generate_series(1, 500) g; "
      "ANALYZE t");
  trial.job(backfill_job("t", "n = \"1 / (id - 400)\"", "where = 'n IS NULL'", "[env.live]\nconfirm = true"));
  EXPECT_EQ(trial.run({"--env", "live", "--yes"}).code(), 1) << "row 400 cannot be changed";
  trial.db().exec("DELETE FROM t WHERE id = 400");
  trial.db().exec("BEGIN");
  trial.db().exec("CREATE TABLE other (id int)");
  trial.db().exec("PREPARE TRANSACTION 'left'");
  const auto stopped = trial.run({"--env", "live", "--yes"});
  EXPECT_EQ(stopped.code(), 5) << stopped.out << stopped.err;
  EXPECT_THAT(refusal_of(stopped).message, HasSubstr("prepared-transactions"));
  EXPECT_EQ(trial.run({"--env", "live", "--yes", "--accept", "prepared-transactions"}).code(), 0);
  trial.db().exec("ROLLBACK PREPARED 'left'");
}

TEST_F(Environment, WantsOneWordForAFolder) {
  TempFolder folder;
  for (const std::string name : {"one", "two"})
    folder.write(name + ".toml",
                 "name = \"" + name +
                     "\"\n[env.production]\n[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"CREATE TABLE " +
                     name + " ()\"\n");
  trial_.job_file(folder.path());
  EXPECT_THAT(refused("run", {"--env", "production"}).hint, HasSubstr("--yes"));
  expect("run", 0, {"--env", "production", "--yes"});
  EXPECT_TRUE(trial_.db().yes("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NOT NULL"));
}

}  // namespace
}  // namespace pgsluice::test
