// Goal: a result that could not be written is an error, and work that is done stays done. Method: the verbs
// that look, with /dev/full for standard output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

class FullDisk : public testing::Test {
 protected:
  FullDisk() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g FROM generate_series(1, 50) g");
    trial_.job(backfill_job("t", "n = \"1\"", "where = \"n IS NULL\"\n"));
  }

  Finished into_full_disk(const Command& command) {
    auto shell = command;
    std::string line = "'" + command.program + "'";
    for (const auto& argument : command.args) line += " '" + argument + "'";
    shell.program = "sh";
    shell.args = {"-c", line + " >/dev/full"};
    return test::run(shell, 2 * kPatience);
  }

  Trial trial_;
};

TEST_F(FullDisk, IsAnErrorOfTheVerbsThatLook) {
  ASSERT_EQ(trial_.run().code(), 0);
  for (const char* verb : {"plan", "check", "status", "history", "verify", "failures"}) {
    // There is nothing to be printed of no failures.
    if (std::string(verb) == "failures")
      trial_.db().exec(
          "INSERT INTO pgsluice.quarantine SELECT step_id, '{1}', '22P02', 'x' FROM pgsluice.step");
    for (const auto& command : {trial_.command(verb), trial_.text_command(verb)}) {
      const auto finished = into_full_disk(command);
      EXPECT_EQ(finished.code(), 1) << verb << finished.err;
      EXPECT_THAT(finished.err, testing::HasSubstr("could not be written")) << verb;
    }
  }
}

TEST_F(FullDisk, IsNoErrorOfARunThatHasDoneItsWork) {
  EXPECT_EQ(into_full_disk(trial_.command("run")).code(), 0);
  EXPECT_EQ(trial_.db().number("SELECT sum(n) FROM t"), 50);
}

}  // namespace
}  // namespace pgsluice::test
