// Goal: what cannot be undone happens on the operator's word only, and not before it is proved; at a terminal
// every act of an operator is told and asked for. Method: a retype of one small table with a proof below it,
// at a terminal that script(1) makes and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/server_user.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJob = R"toml(
name = "word"
[[step]]
kind = "retype"
name = "ids"
tables = ["t"]
to = "bigint"
[[step]]
kind = "verify"
name = "all-there"
query = "SELECT count(*) FROM t"
expect = "500"
)toml";

class OperatorsWord : public testing::Test {
 protected:
  OperatorsWord() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, w text); INSERT INTO t SELECT g FROM generate_series(1, 500) g");
    trial_.job(kJob);
  }

  Refusal refused(const std::string& verb, const std::vector<std::string>& args) {
    const auto finished = trial_.verb(verb, args);
    EXPECT_EQ(finished.code(), 5) << verb << finished.out << finished.err;
    return refusal_of(finished);
  }

  void expect(const std::string& verb, int code, const std::vector<std::string>& args = {}) {
    const auto finished = trial_.verb(verb, args);
    EXPECT_EQ(finished.code(), code) << verb << finished.out << finished.err;
  }

  /// The verb at a terminal, where `answer` is typed.
  Finished at_terminal(const std::string& verb, const std::string& answer, const std::string& args = {}) {
    const auto program = trial_.text_command(verb, {"--quiet"});
    const auto line = "'" + program.program + "' " + verb + " '" + program.args[1] + "' " + args;
    return test::run({.program = "sh",
                      .args = {"-c", "echo " + answer + " | script -qec \"" + line + "\" /dev/null"},
                      .env = {{"DATABASE_URL", trial_.dsn()}}},
                     2 * kPatience);
  }

  std::string key_type() {
    return trial_.db().text(
        "SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'id'");
  }
  bool is_contracted() {
    return trial_.db().yes(
        "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'id_old')");
  }

  Trial trial_;
};

TEST_F(OperatorsWord, IsNeededForContractWhereNobodyCanBeAsked) {
  expect("run", 9);
  expect("cutover", 0);
  expect("run", 0);
  const auto refusal = refused("contract", {"--quiet"});
  EXPECT_THAT(refusal.message, HasSubstr("cannot be undone"));
  EXPECT_THAT(refusal.hint, HasSubstr("--yes"));
  EXPECT_FALSE(is_contracted());
  expect("contract", 0, {"--yes"});
  EXPECT_TRUE(is_contracted());
}

TEST_F(OperatorsWord, IsNotEnoughForContractBeforeTheProof) {
  expect("run", 9);
  expect("cutover", 0);
  const auto refusal = refused("contract", {"--yes"});
  EXPECT_THAT(refusal.message,
              AllOf(HasSubstr("\"ids\" is not proved yet"), HasSubstr("\"all-there\" is not done")));
  EXPECT_THAT(refusal.hint, HasSubstr("--unproven"));
  EXPECT_THAT(refused("contract", {"--unproven"}).hint, HasSubstr("--yes"));
  EXPECT_FALSE(is_contracted());
  expect("contract", 0, {"--yes", "--unproven"});
  EXPECT_TRUE(is_contracted());
}

TEST_F(OperatorsWord, IsNotEnoughAfterAProofThatFailed) {
  expect("run", 9);
  expect("cutover", 0);
  trial_.db().exec("DELETE FROM t WHERE id = 7");
  expect("run", 4);
  refused("contract", {"--yes"});
  EXPECT_FALSE(is_contracted());
}

TEST_F(OperatorsWord, IsTakenWithoutATerminalByWhatCanBeUndone) {
  expect("run", 9);
  expect("cutover", 0, {"--yes"});
  EXPECT_EQ(key_type(), "bigint");
  expect("rollback", 0, {"--yes"});
  EXPECT_EQ(key_type(), "integer");
  expect("run", 9);
  expect("cutover", 0);
  expect("rollback", 0);
  EXPECT_EQ(key_type(), "integer");
}

TEST_F(OperatorsWord, IsAskedForAtATerminal) {
  expect("run", 9);
  auto finished = at_terminal("cutover", "n");
  EXPECT_EQ(finished.code(), 5) << finished.out;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("step \"ids\": old and new columns of \"t\""),
                                  HasSubstr("Continue? [y/N]"), HasSubstr("nothing was done")));
  EXPECT_EQ(key_type(), "integer");
  finished = at_terminal("cutover", "y");
  EXPECT_EQ(finished.code(), 0) << finished.out;
  EXPECT_EQ(key_type(), "bigint");

  finished = at_terminal("rollback", "''");
  EXPECT_EQ(finished.code(), 5) << finished.out;
  EXPECT_THAT(finished.out, HasSubstr("get their names back"));
  EXPECT_EQ(key_type(), "bigint");

  expect("run", 0);
  finished = at_terminal("contract", "n");
  EXPECT_EQ(finished.code(), 5) << finished.out;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("the old columns of \"t\""), HasSubstr("cannot be undone")));
  EXPECT_FALSE(is_contracted());
  finished = at_terminal("contract", "yes");
  EXPECT_EQ(finished.code(), 0) << finished.out;
  EXPECT_TRUE(is_contracted());
}

TEST_F(OperatorsWord, IsNotAskedForAfterYesNorWhereNothingCanBeDone) {
  expect("run", 9);
  auto finished = at_terminal("contract", "y");
  EXPECT_EQ(finished.code(), 5) << finished.out;
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr("no step of job \"word\" is cut over"), Not(HasSubstr("Go on?"))));
  finished = at_terminal("rollback", "n", "--yes");
  EXPECT_EQ(finished.code(), 0) << finished.out;
  EXPECT_THAT(finished.out, Not(HasSubstr("Go on?")));
}

}  // namespace
}  // namespace pgsluice::test
