// Goal: a forecast is what the sampled batches say of the whole table, no more and no less.
#include "lanes/foretelling/forecast.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

constexpr double kOverhead = 0.001;  // seconds of a batch, whatever its size
constexpr double kRow = 20e-6;       // seconds of a row

constexpr double kVisit = 1e-6;  // of a row that is only met
constexpr std::int64_t kMet = 1'000;

/// One half of the rows of a place.
SampledBatch half(SampleKind kind, bool is_explained) {
  SampledBatch out;
  out.kind = kind;
  out.is_explained = is_explained;
  out.visited = kMet;
  out.changed = kMet / 2;
  out.seconds = kOverhead + kVisit * kMet + kRow * kMet / 2;
  if (!is_explained) return out;
  out.page_images = kind == SampleKind::kFirst ? 11 : 0;
  out.wal_bytes = 200.0 * kMet / 2 + out.page_images * 8'000;
  return out;
}

SampledBatch unchanged(SampleKind kind, std::int64_t visited) {
  SampledBatch out;
  out.kind = kind;
  out.visited = visited;
  out.seconds = kOverhead + kVisit * static_cast<double>(visited);
  return out;
}

/// 1,000,000 rows, 100 on a page, all of which change; no index.
Sampled sample() {
  Sampled s;
  s.rows_per_page = 100;
  s.lanes = 1;
  s.batch.rows_max = 5'000;
  s.pages = {1'000, 100'000, 100'000, 1'000, 0, 0.05, 10'000};
  for (int i = 0; i < 20; ++i) {
    s.batches.push_back(half(SampleKind::kFirst, i % 2 == 1));
    s.batches.push_back(half(SampleKind::kSecond, i % 2 == 0));
    s.batches.push_back(unchanged(SampleKind::kVisit, kMet));
    s.batches.push_back(unchanged(SampleKind::kOneRow, 0));
  }
  s.heap_grown_bytes = 20.0 * kMet * 80;
  return s;
}

void expect_near(const Span& span, double value, double share) {
  EXPECT_NEAR(span.likely, value, share * value);
  EXPECT_LE(span.low, span.likely);
  EXPECT_GE(span.high, span.likely);
}

TEST(Forecast, CountsTheRowsOfThePagesThatWereRead) {
  auto s = sample();
  s.pages.matching = 10'000;
  expect_near(forecast(s).rows, 100'000, 0.001);
}

TEST(Forecast, TakesTheTimeOfTheRowsAndOfTheBatches) {
  expect_near(forecast(sample()).seconds, 1e6 * (kRow + kVisit) + 220 * kOverhead, 0.02);
}

TEST(Forecast, TwoLanesTakeHalfTheTimeOfBatchesThatWereSampledOnTwo) {
  auto s = sample();
  const double alone = forecast(s).seconds.likely;
  s.lanes = 2;
  EXPECT_NEAR(forecast(s).seconds.likely, alone / 2, 0.01 * alone);
}

TEST(Forecast, WritesAnImageOfEachPageOnceAfterACheckpoint) {
  expect_near(forecast(sample()).wal_bytes, 1e6 * 200 + 10'000 * 8'000, 0.05);
}

TEST(Forecast, DoesNotCountImagesThatSamplesHaveWritten) {
  auto s = sample();
  const double later = forecast(s).wal_bytes.likely;
  s.is_run_next = true;
  EXPECT_NEAR(later - forecast(s).wal_bytes.likely, 20 * 11 * 8'000, 20 * 8'000);
}

TEST(Forecast, RowsThatAreOnlyMetCostTheirVisit) {
  auto s = sample();
  s.pages.matching = 1'000;
  s.pages.matching_pages = 1'000;
  for (auto& b : s.batches) {
    b.seconds -= kRow * static_cast<double>(b.changed) * 0.99;
    b.changed /= 100;
  }
  expect_near(forecast(s).seconds, 1e6 * kVisit + 1e4 * kRow + 200 * kOverhead, 0.05);
}

TEST(Forecast, WritesNoImagesWherePagesHadTheirsBefore) {
  auto s = sample();
  for (auto& b : s.batches) {
    b.wal_bytes -= b.page_images * 8'000;
    b.page_images = 0;
  }
  expect_near(forecast(s).wal_bytes, 1e6 * 200, 0.01);
}

TEST(Forecast, ALongRunWritesImagesAgainAfterEachCheckpoint) {
  auto s = sample();
  s.indexes.push_back({"spread", 50e6, 1e6, 44, true, false, false, 0});
  for (auto& b : s.batches) {
    if (!b.is_explained) continue;
    b.page_images += 450;
    b.wal_bytes += 450 * 8'000.0;
  }
  const double once = forecast(s).wal_bytes.likely;
  s.checkpoints.wal_bytes = 100e6;
  EXPECT_GT(forecast(s).wal_bytes.likely, once + 2 * 6'000 * 4'000.0);
}

TEST(Forecast, TheTableGrowsByWhatLeavesItsPage) {
  auto s = sample();
  expect_near(forecast(s).heap_bytes, 1e6 * 80, 0.05);
  for (auto& b : s.batches) b.hot = b.changed;
  EXPECT_EQ(forecast(s).heap_bytes.likely, 0);
}

TEST(Forecast, InterleavedPassesLeaveLittleGrowth) {
  auto s = sample();
  s.walk = Walk::kInterleaved;
  s.passes = 10;
  s.pass = {1'000, 0.005, 1'000, 80'000};
  const auto f = forecast(s);
  EXPECT_LT(f.heap_bytes.likely, 0.2 * 1e6 * 80);
  EXPECT_LT(f.wal_bytes.likely, 0.8 * forecast(sample()).wal_bytes.likely);
}

TEST(Forecast, FewBatchesAreNotEnough) {
  auto s = sample();
  EXPECT_TRUE(is_enough(s));
  s.batches.resize(1);
  EXPECT_FALSE(is_enough(s));
}

TEST(Forecast, SaysWhyItKnowsOnlyTheCatalog) {
  Estimate estimate;
  estimate.wal_bytes = 1'000;
  estimate.fastest = std::chrono::seconds{1};
  estimate.slowest = std::chrono::seconds{100};
  const auto f = forecast_by_catalog(estimate, 10, "the table is small");
  EXPECT_FALSE(f.is_sampled);
  EXPECT_EQ(f.basis, "the catalog alone: the table is small");
  EXPECT_DOUBLE_EQ(f.seconds.likely, 10);
}

}  // namespace
}  // namespace pgsluice::engine
