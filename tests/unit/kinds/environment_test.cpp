// Goal: an environment lays its settings over the job's, and a mistake in any of them is found before it is
// chosen. Method: one file, read for several environments.
#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

constexpr const char* kHead = R"toml(name = "n"
dsn = "service=dev"
[throttle]
replica_lag = "2s"
lock_wait = "300ms"
[[step]]
kind = "sql"
name = "s"
up = "SELECT 1"
)toml";

TEST(Environments, AreLaidOverTheRest) {
  const std::string text = std::string(kHead) + R"toml([env.production]
dsn = "service=live"
max_quarantined = 3
[env.production.throttle]
replica_lag = "1s"
[env.production.window]
between = ["22:00", "06:00"]
[env.staging.pool]
lanes = 1
)toml";
  const JobFile live = parse(text, "production");
  ASSERT_EQ(mistakes(live), "");
  EXPECT_EQ(live.job.dsn, "service=live");
  EXPECT_EQ(live.job.tunables.max_quarantined, 3);
  EXPECT_EQ(live.job.tunables.throttle.replica_lag, Milliseconds(1'000));
  EXPECT_EQ(live.job.tunables.throttle.lock_wait, Milliseconds(300));
  ASSERT_TRUE(live.job.window.has_value());
  EXPECT_EQ(live.job.window->timezone, "UTC");
  EXPECT_EQ(live.job.tunables.lanes, 2);
  EXPECT_EQ(live.job.steps.size(), 1U);

  const JobFile staging = parse(text, "staging");
  EXPECT_EQ(staging.job.tunables.lanes, 1);
  EXPECT_EQ(staging.job.dsn, "service=dev");
  EXPECT_FALSE(staging.job.window.has_value());

  const JobFile plain = parse(text);
  EXPECT_EQ(plain.job.tunables.throttle.replica_lag, Milliseconds(2'000));
  EXPECT_EQ(plain.job.tunables.lanes, 2);
}

TEST(Environments, ThatAreNotKnownAreRefusedWithTheKnownOnes) {
  const std::string text = std::string(kHead) + "[env.production.pool]\nlanes = 1\n[env.staging]\n";
  EXPECT_EQ(mistakes(parse(text, "prodution")),
            "10:1 unknown environment \"prodution\" | did you mean \"production\"?\n");
  EXPECT_EQ(mistakes(parse(text, "x")),
            "10:1 unknown environment \"x\" | known environments: production, staging\n");
  EXPECT_EQ(mistakes(parse(kHead, "x")),
            "1:1 unknown environment \"x\" | the job file has no [env.NAME] section\n");
}

TEST(Environments, AreCheckedEvenWhenAnotherIsChosen) {
  const std::string text = std::string(kHead) + R"toml([env.production.throttle]
replica_lagg = "1s"
[env.staging]
name = "other"
batch.rows_max = 5
batch.rows = 10
step = 1
pool = 1
)toml";
  const std::string expected =
      "11:1 unknown key \"replica_lagg\" in [env.production.throttle] | did you mean \"replica_lag\"?\n"
      "13:8 env.staging.name cannot differ between environments | "
      "an environment may change settings, not what the job is\n"
      "15:14 env.staging.batch.rows (10) is above rows_max (5) | "
      "rows_min ≤ rows ≤ rows_max; the default of rows_max is 50,000\n"
      "16:8 env.staging.step cannot differ between environments | "
      "an environment may change settings, not what the job is\n"
      "17:8 env.staging.pool must be a table, not an integer | write [env.staging.pool] on its own line\n";
  EXPECT_EQ(mistakes(parse(text)), expected);
  EXPECT_EQ(mistakes(parse(text, "production")), expected);
}

TEST(Environments, MustFitTheRowCountsThatTheyAreLaidOver) {
  const std::string text =
      "name = \"n\"\n[batch]\nrows = 2000\n[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"SELECT 1\"\n"
      "[env.small.batch]\nrows_max = 500\n";
  EXPECT_EQ(mistakes(parse(text)),
            "8:1 env.small.batch.rows (2,000) is above rows_max (500) | "
            "rows_min ≤ rows ≤ rows_max; the default of rows_max is 50,000\n");
}

TEST(Environments, DoNotRepeatAConflictOfTheirBase) {
  const std::string text =
      "name = \"n\"\n[batch]\nrows = 10\nrows_min = 20\n"
      "[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"SELECT 1\"\n"
      "[env.small.batch]\ntarget = \"1s\"\n";
  EXPECT_EQ(mistakes(parse(text)),
            "3:8 batch.rows (10) is below rows_min (20) | rows_min ≤ rows ≤ rows_max\n");
}

TEST(Environments, AskFirstWhereTheySaySoAndInProduction) {
  const std::string text =
      std::string(kHead) + "[env.production]\n[env.staging]\nconfirm = true\n[env.dev]\nconfirm = false\n";
  EXPECT_TRUE(parse(text, "production").job.is_confirmed_first);
  EXPECT_TRUE(parse(text, "staging").job.is_confirmed_first);
  EXPECT_FALSE(parse(text, "dev").job.is_confirmed_first);
  EXPECT_FALSE(parse(text).job.is_confirmed_first);
  EXPECT_EQ(parse(text, "staging").job.environment, "staging");
  EXPECT_EQ(parse(text).job.environment, "");
}

TEST(Environments, CannotKeepProductionFromAsking) {
  EXPECT_EQ(mistakes(parse(std::string(kHead) + "[env.production]\nconfirm = false\n")),
            "11:11 env.production.confirm cannot be false: this environment always asks | "
            "leave it out, or give the environment another name\n");
  EXPECT_EQ(mistakes(parse("confirm = true\n" + std::string(kHead))).substr(0, 27),
            "1:1 unknown key \"confirm\" i");
}

TEST(Environments, HaveCommandsOfTheirOwn) {
  const std::string text = "before = \"a\"\nafter = \"b\"\n" + std::string(kHead) +
                           "[env.production]\nbefore = \"c\"\nhook_timeout = \"90s\"\n";
  const JobFile live = parse(text, "production");
  ASSERT_EQ(mistakes(live), "");
  EXPECT_EQ(live.job.hooks.before, "c");
  EXPECT_EQ(live.job.hooks.after, "b");
  EXPECT_EQ(live.job.hooks.timeout, std::chrono::seconds(90));
  EXPECT_EQ(parse(text).job.hooks.before, "a");
  EXPECT_EQ(parse(text).job.hooks.timeout, std::chrono::minutes(5));
}

TEST(Environments, GiveCommandsBetweenASecondAndAnHour) {
  for (const char* written : {"999ms", "61min"}) {
    const auto found = mistakes(parse("hook_timeout = \"" + std::string(written) + "\"\n" + kHead));
    EXPECT_NE(found.find("hook_timeout must be between 1s and 1h, not "), std::string::npos) << found;
  }
  EXPECT_EQ(mistakes(parse("hook_timeout = \"1h\"\n" + std::string(kHead))), "");
}

}  // namespace
}  // namespace pgsluice::job
