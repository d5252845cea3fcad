// Goal: a rolled-back trial counts what says something, and admits what disturbed it.
#include "bench/rolled/rolled_trial.hpp"

#include <gtest/gtest.h>

#include "pgsluice/error.hpp"

namespace pgsluice::bench {
namespace {

using std::chrono::milliseconds;

class RolledTrials : public ::testing::Test {
 protected:
  RolledOutcome batch(milliseconds took, bool is_full = true) {
    RolledOutcome out;
    out.changed = 100;
    out.is_full = is_full;
    out.duration = took;
    return out;
  }
  RolledOutcome failure(const std::string& sqlstate, pg::Disposition disposition) {
    RolledOutcome out;
    out.sqlstate = sqlstate;
    out.disposition = disposition;
    out.message = "no";
    return out;
  }
  void take(const RolledOutcome& outcome, bool has_given_way = false) {
    now_ += milliseconds{100};
    trial_.take(outcome, has_given_way, now_);
  }

  RolledTrial::TimePoint began_{};
  RolledTrial::TimePoint now_ = began_;
  RolledTrial trial_{{Walk::kKeyset, 1, 100}, began_};
};

TEST_F(RolledTrials, AddsItsBatchesUp) {
  take(batch(milliseconds{20}));
  take(batch(milliseconds{20}));
  const auto result = trial_.result();
  EXPECT_EQ(result.rows_changed, 200);
  EXPECT_EQ(result.batches, 2);
  EXPECT_DOUBLE_EQ(result.duration_s, 0.2);
  EXPECT_NEAR(*result.batch_p95_ms, 20, 1);
}

TEST_F(RolledTrials, TimesFullBatchesOnly) {
  take(batch(milliseconds{1}, false));
  EXPECT_EQ(trial_.result().batch_p50_ms, std::nullopt);
}

TEST_F(RolledTrials, TakesWalAndHotOfSampledBatchesWhichItDoesNotTime) {
  auto sampled = batch(milliseconds{500});
  sampled.sample = BatchSample{100, 40, 30'000.0};
  take(sampled);
  take(batch(milliseconds{20}));
  const auto result = trial_.result();
  EXPECT_DOUBLE_EQ(*result.wal_bytes_per_row, 300);
  EXPECT_DOUBLE_EQ(*result.hot_percent, 40);
  EXPECT_NEAR(*result.batch_p99_ms, 20, 1);
}

TEST_F(RolledTrials, KnowsNoWalWhereTheServerDoesNotTell) {
  auto sampled = batch(milliseconds{500});
  sampled.sample = BatchSample{100, 40, std::nullopt};
  take(sampled);
  EXPECT_EQ(trial_.result().wal_bytes_per_row, std::nullopt);
}

TEST_F(RolledTrials, IsDisturbedByAStatementTimeout) {
  take(failure("57014", pg::Disposition::kRetryable));
  EXPECT_TRUE(trial_.is_disturbed());
  EXPECT_TRUE(trial_.result().ran_into_timeout);
}

TEST_F(RolledTrials, TellsACancelForAWaiterFromATimeout) {
  trial_.give_way();
  take(failure("57014", pg::Disposition::kRetryable), true);
  const auto result = trial_.result();
  EXPECT_TRUE(result.gave_way);
  EXPECT_FALSE(result.ran_into_timeout);
  EXPECT_EQ(result.disturbance, "a session waited for it");
}

TEST_F(RolledTrials, GoesRoundARowThatIsLockedButNotForEver) {
  for (int i = 0; i < RolledTrial::kRetriesMax; ++i) take(failure("55P03", pg::Disposition::kRetryable));
  EXPECT_FALSE(trial_.is_disturbed());
  take(failure("55P03", pg::Disposition::kRetryable));
  EXPECT_TRUE(trial_.is_disturbed());
}

TEST_F(RolledTrials, EndsTheBenchWithWhatWouldEndARun) {
  EXPECT_THROW(take(failure("22012", pg::Disposition::kFatal)), Error);
}

}  // namespace
}  // namespace pgsluice::bench
