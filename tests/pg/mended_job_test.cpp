// Goal: steps of a job file can be changed as long as they have left nothing behind. Method: the real program
// on a job that fails, is interrupted or taken back, then with another text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string step(const std::string& kind, const std::string& name, const std::string& rest) {
  return "[[step]]\nkind = \"" + kind + "\"\nname = \"" + name + "\"\n" + rest + "\n";
}

const std::string kColumn =
    step("sql", "column",
         "up = \"ALTER TABLE users ADD COLUMN IF NOT EXISTS x int\"\ndown = \"ALTER TABLE "
         "users DROP COLUMN x\"");
const std::string kFill =
    step("backfill", "fill", "table = \"users\"\nset = { x = \"1\" }\nwhere = \"x IS NULL\"");

class MendedJob : public testing::Test {
 protected:
  MendedJob() {
    trial_.db().exec(
        "CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);"
        "INSERT INTO users SELECT g, 'user' || g FROM generate_series(1, 1000) g; ANALYZE users");
  }

  void job(const std::string& steps) { trial_.job("name = \"j\"\n" + steps); }

  void expect_exit(int code, const std::string& steps) {
    job(steps);
    const auto finished = trial_.run();
    ASSERT_EQ(finished.code(), code) << finished.out << finished.err;
  }

  Trial trial_;
};

TEST_F(MendedJob, GoesOnWithAnIndexWhoseColumnWasMisspelt) {
  const auto index = [](const std::string& column) {
    return step("index", "index", "sql = \"CREATE INDEX CONCURRENTLY users_x ON users (" + column + ")\"");
  };
  expect_exit(1, kColumn + kFill + index("y"));
  const auto checked = [&] {
    job(kColumn + kFill + index("x"));
    return run_ok(trial_.text_command("check"));
  }();
  EXPECT_THAT(checked, AllOf(HasSubstr("- sql = CREATE INDEX CONCURRENTLY users_x ON users (y)"),
                             HasSubstr("+ sql = CREATE INDEX CONCURRENTLY users_x ON users (x)")));
  expect_exit(0, kColumn + kFill + index("x"));
  const auto commands = trial_.logged("command");
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_THAT(commands[0].dump(), AllOf(HasSubstr("users (y)"), HasSubstr("users (x)")));
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), 1'000);  // none twice
}

TEST_F(MendedJob, GoesOnWithACastThatFailed) {
  const auto cast = [](const std::string& sql) {
    return step("sql", "cast", "up = \"ALTER TABLE users ALTER email TYPE " + sql + "\"");
  };
  expect_exit(1, kColumn + kFill + cast("int USING email::int"));
  expect_exit(0, kColumn + kFill + cast("int USING length(email)"));
  EXPECT_EQ(trial_.db().text("SELECT pg_typeof(email) FROM users LIMIT 1"), "integer");
}

TEST_F(MendedJob, GoesOnWithAQuestionThatWaitsAndOneThatFailed) {
  const auto verify = [](const std::string& query, const std::string& expect) {
    return step("verify", "proof", "query = \"" + query + "\"\nexpect = \"" + expect + "\"");
  };
  expect_exit(4, kColumn + verify("SELECT count(*) FROM users", "999") + kFill);
  expect_exit(0, kColumn + verify("SELECT count(*) FROM users", "1000") + kFill);
  job(kColumn + verify("SELECT count(*) FROM users WHERE false", "0") + kFill);
  const auto refused = trial_.run();
  EXPECT_EQ(refused.code(), 5);
  EXPECT_THAT(refusal_of(refused).message, AllOf(HasSubstr("step \"proof\": (it is done)"),
                                                 HasSubstr("- expect = 1000"), HasSubstr("+ expect = 0")));
}

TEST_F(MendedJob, CutsAFillAnewThatHasChangedNothing) {
  const auto fill = [](const std::string& value) {
    return step("backfill", "fill",
                "table = \"users\"\nset = { x = \"" + value + "\" }\nwhere = \"x IS NULL\"");
  };
  expect_exit(1, kColumn + fill("(email)::int"));  // no row can be changed
  expect_exit(0, kColumn + fill("length(email)"));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM users WHERE x = length(email)"), 1'000);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.quarantine"), 0);
}

TEST_F(MendedJob, MayBeAnotherOneAfterItWasTakenBack) {
  expect_exit(0, kColumn + kFill);
  ASSERT_EQ(trial_.verb("rollback").code(), 0);
  expect_exit(
      0, kColumn + step("backfill", "fill", "table = \"users\"\nset = { x = \"2\" }\nwhere = \"x IS NULL\""));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM users WHERE x = 2"), 1'000);
}

TEST_F(MendedJob, KeepsTheNameOfAnIndexThatWasLeftInvalid) {
  trial_.db().exec("UPDATE users SET email = 'same' WHERE id < 3");
  const auto index = [](const std::string& name, const std::string& unique) {
    return step("index", "index",
                "sql = \"CREATE " + unique + "INDEX CONCURRENTLY " + name + " ON users (email)\"");
  };
  expect_exit(1, index("users_email", "UNIQUE "));
  job(index("users_mail", ""));
  const auto refused = trial_.run();
  EXPECT_EQ(refused.code(), 5);
  EXPECT_THAT(refusal_of(refused).message,
              HasSubstr("index \"public\".\"users_email\" exists and is INVALID"));
  expect_exit(0, index("users_email", ""));
  EXPECT_EQ(trial_.db().text("SELECT count(*) || ' ' || bool_and(indisvalid) FROM pg_index WHERE indrelid = "
                             "'users'::regclass AND NOT indisprimary"),
            "1 true");
}

TEST_F(MendedJob, IsTheSameWithAnotherOrderOfSetBlanksAndSchema) {
  const auto fill = [](const std::string& table, const std::string& set) {
    return step("backfill", "fill",
                "table = \"" + table + "\"\nset = { " + set + " }\nwhere = \"x IS NULL\"");
  };
  expect_exit(0, kColumn + fill("users", "x = \"id+1\", email = \"'a b'\""));
  expect_exit(0, kColumn + fill("public.users", "email = \"'a b'\", x = \"(id  + 1)\""));
  expect_exit(5, kColumn + fill("public.users", "email = \"'a  b'\", x = \"id + 1\""));
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), 1'000);
}

TEST_F(MendedJob, WaitsForABackendThatOutlivedItsRun) {
  // The orphan of a killed run commits its statement while the mended job looks.
  expect_exit(1, kColumn + step("sql", "index", "up = \"SELECT 1/0\""));
  const auto step_id = trial_.db().text("SELECT step_id FROM pgsluice.step WHERE name = 'index'");
  Db orphan(trial_.dsn());
  orphan.exec("BEGIN; UPDATE pgsluice.range SET is_done = true WHERE step_id = " + step_id);
  job(kColumn + step("sql", "index", "up = \"SELECT 1\""));
  Process process(trial_.command("run"));
  wait_for([&] { return trial_.db().yes("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"); },
           "the wait for the orphan");
  orphan.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 5) << process.out() << process.err();
  EXPECT_THAT(process.out(), HasSubstr("it is done"));
}

}  // namespace
}  // namespace pgsluice::test
