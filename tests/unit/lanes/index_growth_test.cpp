// Goal: the growth of a B-tree is that of leaves which split, not of entries.
#include "lanes/foretelling/index_growth.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

constexpr double kEntries = 400;  // of a full leaf

IndexShape fresh(double entries) {
  IndexShape index;
  index.entries = entries;
  index.entry_bytes = 20;
  index.bytes = entries * 20 / 0.9;
  return index;
}

TEST(IndexGrowth, LeavesWithRoomForWhatComesDoNotSplit) {
  EXPECT_NEAR(leaves_after(0.5, 0.5, kEntries), 1, 0.01);
  EXPECT_DOUBLE_EQ(leaves_after(0.9, 0, kEntries), 1);
}

TEST(IndexGrowth, FullLeavesDoubleLongBeforeTheirEntriesDo) {
  EXPECT_NEAR(leaves_after(0.9, 0.3, kEntries), 2, 0.01);
  EXPECT_NEAR(leaves_after(0.9, 1, kEntries), 2, 0.1);
}

TEST(IndexGrowth, ManyEntriesSplitALeafMoreThanOnce) {
  EXPECT_GT(leaves_after(0.9, 3, kEntries), 3.5);
}

TEST(IndexGrowth, AnIndexThatWasJustBuiltDoublesWhenEachRowGetsAnEntry) {
  const auto index = fresh(1e6);
  EXPECT_NEAR(index_growth(index, 1e6, 1, 0), index.bytes, 0.1 * index.bytes);
}

TEST(IndexGrowth, RowsThatLieTogetherSplitOnlyTheirPartOfTheIndex) {
  const auto index = fresh(1e6);
  EXPECT_NEAR(index_growth(index, 0.3e6, 0.3, 0), 0.3 * index.bytes, 0.05 * index.bytes);
}

TEST(IndexGrowth, AnIndexWithLeavesOfAllFillsGrowsWithItsEntries) {
  auto index = fresh(1e6);
  index.bytes = 1e6 * 20 / 0.7;
  EXPECT_NEAR(index_growth(index, 0.1e6, 1, 0), 0.1 * index.bytes, 0.01 * index.bytes);
}

TEST(IndexGrowth, NewValuesThatLieCloseTogetherGrowAsTheSampleDid) {
  auto index = fresh(1e6);
  index.is_changed = true;
  index.grown_bytes = 20'000 * 24.0;
  EXPECT_DOUBLE_EQ(index_growth(index, 1e6, 1, 20'000), 24e6);
}

TEST(IndexGrowth, NothingGrowsWithoutRows) {
  EXPECT_EQ(index_growth(fresh(1e6), 0, 1, 0), 0);
}

}  // namespace
}  // namespace pgsluice::engine
