// Goal: the commands `before` and `after` are run in time, decide what they should, end in bounds, and leave
// their output in the event log without a password. Method: shell one-liners around one small backfill.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;

class Hooks : public testing::Test {
 protected:
  Hooks() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g FROM generate_series(1, 500) g; "
        "ANALYZE t");
  }

  /// Lines before the step, such as the commands.
  void job(const std::string& settings, const std::string& set = "n = \"1\"") {
    trial_.job(backfill_job("t", set, "where = 'n IS NULL'", settings));
  }
  std::int64_t changed() { return trial_.db().number("SELECT count(n) FROM t"); }

  Json only_hook() {
    const auto hooks = trial_.logged("hook");
    EXPECT_EQ(hooks.size(), 1U);
    return hooks.empty() ? Json::object() : hooks.back();
  }

  /// Until a `sleep N` of the commands is at work.
  static bool is_asleep(const std::string& seconds) {
    return test::run({"pgrep", {"-fx", "sleep " + seconds}}).code() == 0;
  }

  Trial trial_;
};

TEST_F(Hooks, TellTheFactsOfTheRun) {
  job("before = 'echo \"$PGSLUICE_JOB,$PGSLUICE_ENV,$PGSLUICE_DATABASE\"; echo \"$PGSLUICE_RUN_ID\" >&2'\n"
      "after = 'echo \"$PGSLUICE_OUTCOME,$PGSLUICE_EXIT_CODE,$PGSLUICE_ROWS_CHANGED\"'\n[env.dev]");
  const auto finished = trial_.run({"--env", "dev"});
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  const auto hooks = trial_.logged("hook");
  ASSERT_EQ(hooks.size(), 2U);
  const auto run_id = trial_.db().text("SELECT run_id FROM pgsluice.run");
  EXPECT_EQ(hooks[0]["output"], "fill,dev," + trial_.database() + "\n" + run_id);
  EXPECT_EQ(hooks[0]["exit_code"], 0);
  EXPECT_EQ(hooks[1]["hook"], "after");
  EXPECT_EQ(hooks[1]["output"], "done,0,500");
  EXPECT_EQ(events_of(finished.out, "hook").size(), 2U);
  EXPECT_THAT(test::run(trial_.text_command("history")).out, HasSubstr("done,0,500"));
}

TEST_F(Hooks, AreNotRunWhereNothingIsLeft) {
  job("before = 'echo b'\nafter = 'echo a'");
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.logged("hook").size(), 2U);
}

TEST_F(Hooks, RefuseTheRunWhenBeforeFails) {
  job("before = 'echo first; echo not today >&2; exit 3'\nafter = 'echo $PGSLUICE_OUTCOME'");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 5) << finished.out << finished.err;
  EXPECT_EQ(refusal_of(finished).message, "the command `before` exited with 3: not today");
  EXPECT_EQ(changed(), 0);
  const auto hooks = trial_.logged("hook");
  ASSERT_EQ(hooks.size(), 2U);
  EXPECT_EQ(hooks[0]["exit_code"], 3);
  EXPECT_EQ(hooks[1]["output"], "refused");
  job("before = 'true'");
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(changed(), 500);
}

TEST_F(Hooks, RunBeforeAgainWhenTheJobIsResumed) {
  job("before = 'echo again'", "n = \"1 / (id - 400)\"");
  EXPECT_EQ(trial_.run().code(), 1);
  trial_.db().exec("DELETE FROM t WHERE id = 400");
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.logged("hook").size(), 2U);
}

TEST_F(Hooks, ChangeTheCodeOfADoneRunWhenAfterFails) {
  job("after = 'echo nobody listens; exit 7'");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << finished.out << finished.err;
  EXPECT_EQ(summary_of(finished)["reason"], "the command `after` exited with 7: nobody listens");
  EXPECT_FALSE(trial_.logged("warning").empty());
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(Hooks, LeaveAnyOtherCodeAsItIs) {
  job("after = 'exit 7'\nmax_quarantined = 1", "n = \"1 / (id - 400)\"");
  EXPECT_EQ(trial_.run().code(), 3);
}

TEST_F(Hooks, EndAtTheirTimeWithAllTheirProcesses) {
  job("before = 'echo begun; sleep 3611 & sleep 3612'\nhook_timeout = \"1s\"");
  const auto began = Clock::now();
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 5) << finished.out << finished.err;
  EXPECT_LT(Clock::now() - began, kPatience);
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("its time of 1.0 s is over: begun"));
  EXPECT_TRUE(only_hook()["exit_code"].is_null());
  EXPECT_FALSE(is_asleep("3611") || is_asleep("3612"));
  EXPECT_EQ(changed(), 0);
}

TEST_F(Hooks, AreKilledWhenTheyIgnoreTheirEnd) {
  job("before = \"trap '' TERM; sleep 3613\"\nhook_timeout = \"1s\"");
  EXPECT_EQ(trial_.run().code(), 5);
  const double took = only_hook()["duration_s"];
  EXPECT_GE(took, 6.0);
  EXPECT_LT(took, 10.0);
  EXPECT_FALSE(is_asleep("3613"));
}

TEST_F(Hooks, EndWithTheRun) {
  job("before = 'sleep 3614'");
  Process process(trial_.command("run"));
  wait_for([] { return is_asleep("3614"); }, "the command to begin");
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), (Exit{75, 0})) << process.out() << process.err();
  EXPECT_FALSE(is_asleep("3614"));
  EXPECT_THAT(only_hook()["ended"].get<std::string>(), HasSubstr("signal"));
  EXPECT_EQ(changed(), 0);
  job("before = 'true'");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(Hooks, EndAfterASignalWhenTheRunIsOverToo) {
  job("after = 'sleep 3615'");
  Process process(trial_.command("run", {"--grace", "1s"}));
  wait_for([] { return is_asleep("3615"); }, "the command to begin");
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done") << "the run is over for others";
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), (Exit{1, 0})) << process.out() << process.err();
  EXPECT_FALSE(is_asleep("3615"));
  EXPECT_THAT(only_hook()["ended"].get<std::string>(), HasSubstr("signal"));
}

TEST_F(Hooks, OutlastTheGraceOfARunThatIsStopped) {
  job("after = 'sleep 3; echo $PGSLUICE_OUTCOME'",
      "n = \"CASE WHEN pg_sleep(0.02) IS NULL THEN 0 ELSE 1 END\"");
  const auto finished = trial_.run({"--for", "1s", "--grace", "1s"});
  EXPECT_EQ(finished.code(), 75) << finished.out << finished.err;
  EXPECT_EQ(only_hook()["output"], "work left");
}

TEST_F(Hooks, LeaveWhatTheyStartInTheBackground) {
  job("before = 'sleep 3616 >/dev/null 2>&1 & echo $!'");
  EXPECT_EQ(trial_.run().code(), 0);
  const pid_t left = std::stoi(only_hook()["output"].get<std::string>());
  EXPECT_TRUE(is_alive(left));
  ::kill(left, SIGKILL);
}

TEST_F(Hooks, ShowNoPassword) {
  trial_.connect_as(trial_.dsn() + " password='hush hush'");
  job("before = 'env; echo \"DATABASE_URL=$DATABASE_URL\"; echo hush hush; echo sesame; printf "
      "\"open\\033[31m\"'\nafter = "
      "'MY_PASSWORD=word-of-mine true'");
  auto command = trial_.command("run");
  command.env = {{"DATABASE_URL", "postgresql://u:sesame@h/d"}};
  const auto finished = test::run(command, 2 * kPatience);
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  const auto everything = trial_.db().text("SELECT string_agg(fields::text, ' ') FROM pgsluice.event") +
                          finished.out + finished.err;
  EXPECT_THAT(everything, HasSubstr("DATABASE_URL=postgresql://u:xxxxxx@h/d"));
  for (const char* secret : {"hush", "sesame", "word-of-mine", "\\u001b"})
    EXPECT_THAT(everything, Not(HasSubstr(secret)));
}

TEST_F(Hooks, KeepTheEndOfALongOutput) {
  job("before = 'seq 1 200000'");
  ASSERT_EQ(trial_.run().code(), 0);
  const std::string output = only_hook()["output"];
  EXPECT_LE(output.size(), 4'096U);
  EXPECT_TRUE(output.ends_with("\n200000")) << output;
}

}  // namespace
}  // namespace pgsluice::test
