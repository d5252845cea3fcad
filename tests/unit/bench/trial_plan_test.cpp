// Goal: as many trials as the time allows, in an order that favours none.
#include "bench/measure/trial_plan.hpp"

#include <gtest/gtest.h>

#include <map>

namespace pgsluice::bench {
namespace {

Sweep sweep(int repeat = 3, bool has_traffic = false) {
  return {settings_of({Walk::kKeyset}, {1, 2, 4}, {100, 1'000}), repeat, has_traffic};
}

TimeBudget seconds(double all) {
  return {all, 0.5, 1, 5};
}

int times(const TrialPlan& plan, const std::optional<BenchSetting>& setting) {
  return static_cast<int>(std::count(plan.order.begin(), plan.order.end(), setting));
}

TEST(TrialPlan, TriesEverySettingInEveryRound) {
  const auto plan = plan_trials(sweep(), seconds(1'000), 7);
  EXPECT_EQ(plan.rounds_that_fit, 3);
  ASSERT_EQ(plan.order.size(), 18U);
  for (const auto& setting : sweep().settings) {
    EXPECT_EQ(times(plan, setting), 3);
    EXPECT_EQ(std::count(plan.order.begin(), plan.order.begin() + 6, std::optional(setting)), 1)
        << "a bench that ends early has seen all of them";
  }
  EXPECT_TRUE(plan.left_out.empty());
}

TEST(TrialPlan, MakesTrialsAsLongAsTheTimeAllowsAndNoLonger) {
  EXPECT_DOUBLE_EQ(plan_trials(sweep(), seconds(18 * 2.5), 7).trial_s, 2);
  EXPECT_DOUBLE_EQ(plan_trials(sweep(), seconds(1e6), 7).trial_s, 5);
}

TEST(TrialPlan, FitsIntoTheTime) {
  for (const double all : {9.0, 10.0, 14.0, 30.0, 100.0}) {
    const auto plan = plan_trials(sweep(), seconds(all), 7);
    const auto trials = static_cast<double>(plan.order.size()) / 3 * plan.rounds_that_fit;
    EXPECT_LE(trials * (plan.trial_s + 0.5), all + 1e-9) << all;
  }
}

TEST(TrialPlan, RepeatsLessBeforeItLeavesSettingsOut) {
  const auto plan = plan_trials(sweep(), seconds(13 * 1.5), 7);
  EXPECT_EQ(plan.rounds_that_fit, 2);
  EXPECT_TRUE(plan.left_out.empty());
  EXPECT_EQ(plan.order.size(), 18U) << "the third round is for trials that take less than planned";
}

TEST(TrialPlan, NamesTheSettingsThatItHasNoTimeFor) {
  const auto plan = plan_trials(sweep(1), seconds(4 * 1.5), 7);
  EXPECT_EQ(plan.order.size(), 4U);
  EXPECT_EQ(plan.left_out.size(), 2U);
}

TEST(TrialPlan, KeepsTheTrafficAloneWhateverItLeavesOut) {
  const auto plan = plan_trials(sweep(1, true), seconds(3 * 1.5), 7);
  EXPECT_EQ(plan.order.size(), 3U);
  EXPECT_EQ(times(plan, std::nullopt), 1);
}

TEST(TrialPlan, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const auto order = [](std::uint64_t seed) { return plan_trials(sweep(), seconds(1'000), seed).order; };
  EXPECT_EQ(order(7), order(7));
  EXPECT_NE(order(7), order(8));
}

TEST(TrialPlan, DoesNotRepeatTheOrderOfTheFirstRound) {
  const auto order = plan_trials(sweep(), seconds(1'000), 7).order;
  EXPECT_FALSE(std::equal(order.begin(), order.begin() + 6, order.begin() + 6));
}

}  // namespace
}  // namespace pgsluice::bench
