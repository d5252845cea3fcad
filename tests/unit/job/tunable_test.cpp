// Goal: settings may change while a job runs, but never to something that cannot be.
// Method: apply texts to the tunables and look at all of it.
#include "job/read/tunable.hpp"

#include <gtest/gtest.h>

#include "pgsluice/job_file.hpp"

namespace pgsluice::job {
namespace {

TEST(Tunables, AreReadWithTheirUnits) {
  Tunables tunables;
  EXPECT_EQ(apply_tunable(tunables, "pool.lanes", "8"), "");
  EXPECT_EQ(apply_tunable(tunables, "batch.target", "500ms"), "");
  EXPECT_EQ(apply_tunable(tunables, "batch.rows", "2000"), "");
  EXPECT_EQ(apply_tunable(tunables, "throttle.replica_lag", "1s"), "");
  EXPECT_EQ(apply_tunable(tunables, "throttle.replica_lag_bytes", "16MB"), "");
  EXPECT_EQ(apply_tunable(tunables, "throttle.lock_wait", "100ms"), "");
  EXPECT_EQ(apply_tunable(tunables, "throttle.slowdown", "200"), "");
  EXPECT_EQ(apply_tunable(tunables, "throttle.give_up", "30min"), "");
  EXPECT_EQ(apply_tunable(tunables, "max_quarantined", "10"), "");
  EXPECT_EQ(tunables.lanes, 8);
  EXPECT_EQ(tunables.batch.target, Milliseconds(500));
  EXPECT_EQ(tunables.batch.rows, 2'000);
  EXPECT_EQ(tunables.throttle.replica_lag, Milliseconds(1'000));
  EXPECT_EQ(tunables.throttle.replica_lag_bytes, 16 << 20);
  EXPECT_EQ(tunables.throttle.lock_wait, Milliseconds(100));
  EXPECT_EQ(tunables.throttle.slowdown, 200);
  EXPECT_EQ(tunables.throttle.give_up, Milliseconds(1'800'000));
  EXPECT_EQ(tunables.max_quarantined, 10);
}

TEST(Tunables, SplitTheNamesToIgnore) {
  Tunables tunables;
  EXPECT_EQ(apply_tunable(tunables, "throttle.ignore", "late one, other"), "");
  EXPECT_EQ(tunables.throttle.ignore, (std::vector<std::string>{"late one", "other"}));
  EXPECT_EQ(apply_tunable(tunables, "throttle.ignore", ""), "");
  EXPECT_TRUE(tunables.throttle.ignore.empty());
}

TEST(Tunables, RefuseWhatCannotBe) {
  const std::tuple<const char*, const char*, const char*> kCases[] = {
      {"pool.lanes", "0", "pool.lanes must be between 1 and 64, not 0"},
      {"pool.lanes", "65", "pool.lanes must be between 1 and 64, not 65"},
      {"pool.lanes", "two", "pool.lanes must be a whole number, not \"two\""},
      {"pool.lanes", "", "pool.lanes must be a whole number, not \"\""},
      {"pool.lanes", "1.5", "pool.lanes must be a whole number, not \"1.5\""},
      {"pool.lanes", "99999999999999999999",
       "pool.lanes must be a whole number, not \"99999999999999999999\""},
      {"batch.target", "0ms", "batch.target must be between 1ms and 1min, not 0ms"},
      {"batch.target", "2min", "batch.target must be between 1ms and 1min, not 2min"},
      {"batch.target", "100",
       "batch.target must be a duration with its unit (ms, s, min, h, d), such as \"500ms\", not \"100\""},
      {"throttle.replica_lag", "0s", "throttle.replica_lag must be between 10ms and 1d, not 0ms"},
      {"throttle.replica_lag_bytes", "64mb",
       "throttle.replica_lag_bytes must be a size with its unit (B, kB, MB, GB, TB), such as \"64MB\", not "
       "\"64mb\""},
      {"max_quarantined", "-1", "max_quarantined must be between 0 and 1,000,000, not -1"},
      {"batch.rows_min", "60000", "batch.rows_min (60,000) is above rows_max (50,000)"},
      {"batch.rows", "60000", "batch.rows (60,000) is above rows_max (50,000)"},
      {"batch.rows", "10", "batch.rows (10) is below rows_min (50)"},
      {"batch.tarjet", "1s", "unknown setting \"batch.tarjet\"; did you mean \"batch.target\"?"},
  };
  for (const auto& [key, value, mistake] : kCases) {
    Tunables tunables;
    EXPECT_EQ(apply_tunable(tunables, key, value), mistake);
    EXPECT_EQ(tunables.batch.rows, BatchLimits{}.rows) << key;
    EXPECT_EQ(tunables.batch.rows_min, BatchLimits{}.rows_min) << key;
    EXPECT_EQ(tunables.lanes, Tunables{}.lanes) << key;
  }
}

TEST(Tunables, MoveTheFirstBatchBetweenNewBounds) {
  Tunables tunables;
  EXPECT_EQ(apply_tunable(tunables, "batch.rows_max", "500"), "");
  EXPECT_EQ(tunables.batch.rows, 500);
  EXPECT_EQ(apply_tunable(tunables, "batch.rows_max", "5000"), "");
  EXPECT_EQ(apply_tunable(tunables, "batch.rows_min", "2000"), "");
  EXPECT_EQ(tunables.batch.rows, 2'000);
}

TEST(Tunables, HaveDefaultsWithinTheirBounds) {
  for (const Tunable& tunable : tunables()) {
    EXPECT_FALSE(check_bounds(tunable, tunable.get(Tunables{})).has_value()) << tunable_name(tunable);
  }
  EXPECT_FALSE(find_conflict(BatchLimits{}).has_value());
}

}  // namespace
}  // namespace pgsluice::job
