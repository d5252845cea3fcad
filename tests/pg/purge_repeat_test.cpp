// Goal: a purge that repeats does each night's work once, and no run of one night touches another's. Method:
// the real program; nights are runs, and a run that sleeps through one is stopped and continued.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/purge_trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

TEST_F(PurgeTest, BeginsAnewOnlyIfItSaysSo) {
  make_audit();
  const std::string verify =
      "[[step]]\nkind = \"verify\"\nname = \"none\"\nquery = \"SELECT count(*) FROM audit WHERE created_at < "
      "now() - interval '90 days'\"\nexpect = \"0\"\n";
  const auto add = [&] {
    trial_.db().exec(
        "INSERT INTO audit (created_at) SELECT now() - interval '1 year' FROM generate_series(1, 10)");
  };
  trial_.job(purge_job("audit", where(kOld)) + verify);
  expect_exit(0, trial_.run());
  add();
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("audit"), 2010);

  trial_.job(
      "name = \"nightly\"\n[[step]]\nkind = \"sql\"\nname = \"index\"\nup = \"CREATE INDEX ON audit "
      "(created_at)\"\n" +
      purge_job("audit", where(kOld) + "repeat = true", "").substr(11) + verify);
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("audit"), 2000);
  for (int night = 0; night < 2; ++night) {
    add();
    const auto run = trial_.run();
    expect_exit(0, run);
    EXPECT_EQ(summary_of(run).at("rows_changed"), 10);
    EXPECT_EQ(count("audit"), 2000);
  }
  // The next night may go by another rule.
  trial_.job(
      "name = \"nightly\"\n[[step]]\nkind = \"sql\"\nname = \"index\"\nup = \"CREATE INDEX ON audit "
      "(created_at)\"\n" +
      purge_job("audit", where("created_at < now() - interval '5 days'") + "repeat = true", "").substr(11) +
      verify);
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("audit"), 0);
}

class SleptThroughANight : public PurgeTest {
 protected:
  SleptThroughANight() {
    make_audit();
    trial_.job(purge_job("audit", where(kOld) + "repeat = true",
                         "[batch]\nrows = 20\nrows_min = 20\nrows_max = 20\n[pool]\nlanes = 1\n") +
               "[[step]]\nkind = \"verify\"\nname = \"none\"\nquery = \"SELECT count(*) FROM audit WHERE " +
               kOld + "\"\nexpect = \"0\"\n");
  }

  /// Stops it in the middle, as a suspended machine would, until its lease is over.
  void put_to_sleep(Process& running) {
    wait_for([&] { return count("audit") < 3000 || !running.running(); }, "rows to be purged");
    running.signal(SIGSTOP);
    ASSERT_GT(count("audit WHERE " + std::string(kOld)), 0) << running.err();
    trial_.db().exec("UPDATE pgsluice.run SET lease_until = now()");
  }

  void add_old_rows() {
    trial_.db().exec(
        "INSERT INTO audit (created_at) SELECT now() - interval '1 year' FROM generate_series(1, 500)");
  }

  void wake(Process& sleeper) {
    sleeper.signal(SIGCONT);
    EXPECT_EQ(sleeper.wait().code, 11) << sleeper.out() << sleeper.err();
    EXPECT_THAT(sleeper.err(), HasSubstr("begun anew"));
  }
};

TEST_F(SleptThroughANight, DoesNotEndTheNextOne) {
  Process sleeper(trial_.command("run"));
  put_to_sleep(sleeper);
  expect_exit(0, trial_.run());
  add_old_rows();
  auto next = trial_.command("run");
  next.env["PGSLUICE_FAILPOINT"] = "after_register:1";
  EXPECT_EQ(run(next).exit.signal, SIGKILL);
  wake(sleeper);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.step WHERE state <> 'waiting'"), 0);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.job WHERE state = 'done'"), 0);
  EXPECT_EQ(count("audit"), 2500);
  const auto rest = trial_.run();
  expect_exit(0, rest);
  EXPECT_EQ(summary_of(rest).at("rows_changed"), 500);
  EXPECT_EQ(count("audit"), 2000);
}

TEST_F(SleptThroughANight, DoesNotDisturbTheNextOneInItsMiddle) {
  Process sleeper(trial_.command("run"));
  put_to_sleep(sleeper);
  expect_exit(0, trial_.run());
  add_old_rows();
  auto next = trial_.command("run");
  next.env["PGSLUICE_FAILPOINT"] = "after_commit:3";
  EXPECT_EQ(run(next).exit.signal, SIGKILL);
  wake(sleeper);
  EXPECT_EQ(count("audit"), 2500) << "the next night has come three batches far, and met none of them yet";
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.step WHERE state = 'done'"), 0);
  const auto rest = trial_.run();
  expect_exit(0, rest);
  EXPECT_EQ(summary_of(rest).at("rows_changed"), 500);
  EXPECT_EQ(count("audit"), 2000);
}

}  // namespace
}  // namespace pgsluice::test
