// Goal: which step is benched is never guessed, and options that make no sense are told before anything runs.
#include "bench/bench_options.hpp"

#include <gtest/gtest.h>

#include "pgsluice/error.hpp"
#include "unit/bench/samples.hpp"

namespace pgsluice::bench {
namespace {

BackfillStep backfill(const std::string& name) {
  BackfillStep step;
  step.name = name;
  step.walk = Walk::kBlocks;
  return step;
}

Job job(std::vector<Step> steps) {
  Job out;
  out.name = "j";
  out.steps = std::move(steps);
  return out;
}

std::string mistake(const Job& of, const BenchOptions& options = {}) {
  try {
    chosen_step(of, options);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kUsage);
    return e.what();
  }
  return {};
}

TEST(BenchOptions, TakesTheOnlyBackfillStep) {
  const auto only = job({SqlStep{"add", {}, {}}, backfill("fill")});
  EXPECT_EQ(chosen_step(only, {}).name, "fill");
}

TEST(BenchOptions, AsksWhichOfSeveralSteps) {
  const auto two = job({backfill("a"), backfill("b")});
  EXPECT_TRUE(contains(mistake(two), "several backfill steps: a, b"));
  BenchOptions options;
  options.step = "b";
  EXPECT_EQ(chosen_step(two, options).name, "b");
  options.step = "c";
  EXPECT_TRUE(contains(mistake(two, options), "no backfill step \"c\""));
}

TEST(BenchOptions, RefusesAJobWithoutOne) {
  EXPECT_TRUE(contains(mistake(job({SqlStep{"add", {}, {}}})), "no backfill step"));
}

TEST(BenchOptions, RefusesNumbersThatMakeNoTrial) {
  const auto only = job({backfill("fill")});
  for (const auto& change : std::vector<void (*)(BenchOptions&)>{
           [](BenchOptions& o) { o.sizes = {0}; }, [](BenchOptions& o) { o.sizes = {}; },
           [](BenchOptions& o) { o.lanes = {65}; }, [](BenchOptions& o) { o.repeat = 0; },
           [](BenchOptions& o) { o.duration = std::chrono::seconds{0}; },
           [](BenchOptions& o) { o.walks = {Walk::kAuto}; }}) {
    BenchOptions options;
    change(options);
    EXPECT_NE(mistake(only, options), "");
  }
}

TEST(BenchOptions, BenchesTheStepAloneAtAnyHour) {
  auto whole = job({SqlStep{"add", {}, {}}, backfill("fill")});
  whole.window = Window{0, 60, "UTC"};
  const auto alone = job_of_step(whole, {});
  ASSERT_EQ(alone.steps.size(), 1U);
  EXPECT_EQ(alone.steps.front().as<BackfillStep>()->walk, Walk::kAuto);
  EXPECT_FALSE(alone.window);
  EXPECT_NE(alone.name, whole.name) << "its own name may be in the ledger";
}

}  // namespace
}  // namespace pgsluice::bench
