#include "walk/interleaving.hpp"

#include <gtest/gtest.h>

namespace pgsluice::walk {
namespace {

constexpr Ground kGround{72, 131'072, 2};
constexpr std::chrono::milliseconds kLong{100};

BlockBatch batch_of(const Weave& weave, int pass, bool ends_group = false) {
  BlockBatch batch;
  batch.weave = weave;
  batch.pass = pass;
  if (!ends_group) batch.next.group = BlockPosition::Group{weave, 0, 0};
  return batch;
}

/// Until a verdict is due: batches of a later pass, of whose updates `hot` in a hundred are HOT.
std::optional<Interleaving::Change> judged(Interleaving& walk, const Weave& weave, int hot) {
  std::optional<Interleaving::Change> change;
  for (int i = 0; i < Interleaving::kBatchesToJudge && !change; ++i)
    change = walk.record(batch_of(weave, 1), {1'000, 10 * hot, kLong, {}});
  return change;
}

TEST(Interleaving, SharesTheRowsOfAPageOutOverPasses) {
  const Interleaving narrow({72, 131'072, 2}, true);
  EXPECT_EQ(narrow.weave(9'000).passes, 7);
  EXPECT_EQ(narrow.weave(9'000).window_pages, 875) << "a batch is a window's share of one pass";
  EXPECT_EQ(Interleaving({12, 131'072, 2}, true).weave(1'000).passes, Interleaving::kPassesMin);
  EXPECT_EQ(Interleaving({145, 131'072, 2}, true).weave(1'000).passes, Interleaving::kPassesMax);
}

TEST(Interleaving, NotWantedIsBlockAfterBlock) {
  const Interleaving plain(kGround, false);
  EXPECT_EQ(plain.weave(7'200), (Weave{1, 1, 100}));
}

TEST(Interleaving, TheWindowsOfAllLanesFitIntoAShareOfTheCache) {
  const Interleaving small({72, 16'384, 4}, true);
  const auto weave = small.weave(50'000);
  EXPECT_LE(weave.window_pages * weave.windows * 4, 16'384 / Interleaving::kCacheShare);
}

TEST(Interleaving, RestsWhenUpdatesAreNotHotAndTriesAgainLaterAndLater) {
  Interleaving walk(kGround, true);
  const auto woven = walk.weave(9'000);
  EXPECT_FALSE(walk.record(batch_of(woven, 0), {50'000, 0, kLong, {}})) << "the first pass finds full pages";
  const auto change = judged(walk, woven, 2);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, 1);
  EXPECT_NE(change->cause.find("2 %"), std::string::npos) << change->cause;
  const auto plain = walk.weave(9'000);
  EXPECT_EQ(plain.passes, 1);
  int rested = 0;
  while (walk.weave(9'000).passes == 1) {
    ++rested;
    walk.record(batch_of(plain, 0, true), {9'000, 0, kLong, {}});
  }
  EXPECT_EQ(rested, Interleaving::kRestHopeless);
  judged(walk, woven, 2);
  rested = 0;
  while (walk.weave(9'000).passes == 1) {
    ++rested;
    walk.record(batch_of(plain, 0, true), {9'000, 0, kLong, {}});
  }
  EXPECT_EQ(rested, 2 * Interleaving::kRestHopeless);
}

/// Batches until it rests, none of whose updates is HOT.
int batches_until_rest(int lanes, std::chrono::milliseconds duration) {
  Interleaving walk({72, 131'072, lanes}, true);
  const auto woven = walk.weave(9'000);
  int batches = 1;
  while (!walk.record(batch_of(woven, 1), {1'000, 0, duration, {}})) ++batches;
  return batches;
}

TEST(Interleaving, RestsSoonWhereNoUpdateIsHotButNotForAMoment) {
  EXPECT_EQ(batches_until_rest(1, kLong), Interleaving::kBatchesHopeless);
  EXPECT_EQ(batches_until_rest(4, kLong), 12) << "each lane's time counts";
  EXPECT_EQ(batches_until_rest(1, std::chrono::milliseconds{5}), 60) << "the first batches are short";
}

/// 5 ms long, `after` an hour; no update of it is HOT.
BatchShown at(std::chrono::milliseconds after) {
  return {1'000, 0, std::chrono::milliseconds{5}, {}, TimePoint{std::chrono::hours{1} + after}};
}

/// Batches until it rests beside a transaction that was opened `open` after that hour, and what it says.
std::pair<int, std::string> batches_beside(std::chrono::milliseconds open) {
  Interleaving walk({72, 131'072, 1}, true);
  const auto woven = walk.weave(9'000);
  walk.on_transaction_open(TimePoint{std::chrono::hours{1} + open});
  for (int batches = 1;; ++batches) {
    if (const auto change = walk.record(batch_of(woven, 1), at(batches * std::chrono::milliseconds{6})))
      return {batches, change->cause};
  }
}

TEST(Interleaving, RestsAtOnceBesideATransactionThatIsOlderThanItsPasses) {
  using std::chrono::milliseconds;
  const auto [soon, cause] = batches_beside(milliseconds{-500});
  EXPECT_EQ(soon, Interleaving::kBatchesHopeless);
  EXPECT_NE(cause.find("transaction"), std::string::npos) << cause;
  EXPECT_EQ(batches_beside(milliseconds{20}).first, 60) << "one that came later is not the cause";
}

TEST(Interleaving, DoesNotTryAgainWhileTheTransactionIsOpenThatMadeItRest) {
  Interleaving walk({72, 131'072, 1}, true);
  const auto woven = walk.weave(9'000);
  walk.on_transaction_open(TimePoint{std::chrono::minutes{59}});
  for (int i = 0; i < Interleaving::kBatchesHopeless; ++i) walk.record(batch_of(woven, 1), at({}));
  ASSERT_EQ(walk.weave(9'000).passes, 1);
  const auto plain = walk.weave(9'000);
  const auto go_on = [&](int groups) {
    for (int i = 0; i < groups; ++i)
      walk.record(batch_of(plain, 0, true), at(std::chrono::milliseconds{100 + i}));
    return walk.weave(9'000).passes > 1;
  };
  EXPECT_FALSE(go_on(10 * Interleaving::kRestHopeless));
  walk.on_transaction_open(TimePoint{std::chrono::hours{2}});
  EXPECT_TRUE(go_on(1)) << "another one, of a moment";
}

TEST(Interleaving, TriesAgainWithSmallBatches) {
  Interleaving walk({72, 131'072, 2, true}, true);
  EXPECT_EQ(walk.weave(9'000).passes, 1) << "an old snapshot is there already: it rests at first";
  for (int i = 0; i < Interleaving::kRestFirst; ++i)
    walk.record(batch_of(walk.weave(9'000), 0, true), {9'000, 0, kLong, {}});
  const auto tried = walk.weave(9'000);
  EXPECT_EQ(tried.passes, 7);
  EXPECT_EQ(tried.window_pages, walk.pages(Interleaving::kRowsToTry, 7, 1));
  EXPECT_FALSE(judged(walk, tried, 90));
  EXPECT_EQ(walk.weave(9'000).window_pages, 875) << "it pays";
}

TEST(Interleaving, TakesFewerBlocksInTheFirstOfSeveralPasses) {
  const Interleaving walk(kGround, true);
  EXPECT_EQ(walk.pages(9'000, 7, 0), 437);
  EXPECT_EQ(walk.pages(9'000, 7, 1), 875);
  EXPECT_EQ(walk.pages(9'000, 7, 6), 875);
  EXPECT_EQ(walk.pages(9'000, 1, 0), 125) << "of a single pass there is nothing else";
}

TEST(Interleaving, TakesFewPassesWherePagesRunOutOfLinePointers) {
  EXPECT_EQ(Interleaving({185, 131'072, 2}, true).weave(9'000).passes, Interleaving::kPassesMin);
  EXPECT_NEAR(Interleaving::hot_share_most(185), 0.57, 0.01);
  EXPECT_EQ(Interleaving::hot_share_most(400), 0);
}

TEST(Interleaving, GoesOnWhileMostUpdatesAreHot) {
  Interleaving walk(kGround, true);
  const auto woven = walk.weave(9'000);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(walk.record(batch_of(woven, 1 + i % 7), {9'000, 6'000, kLong, {}}));
  }
  EXPECT_EQ(walk.weave(9'000), woven);
}

BatchShown written(double wal_bytes_a_row, double images = 0) {
  return {1'000, 900, kLong, BatchShown::Wal{1'000 * wal_bytes_a_row, images}};
}

/// Sampled batches of a first and a later pass in turn, until a verdict or ten verdicts' worth of them.
std::optional<Interleaving::Change> judged_by_wal(const BatchShown& first, const BatchShown& later) {
  Interleaving walk(kGround, true);
  const auto woven = walk.weave(9'000);
  std::optional<Interleaving::Change> change;
  for (int i = 0; i < 10 * Interleaving::kSamplesToJudge && !change; ++i) {
    walk.record(batch_of(woven, 0), first);
    change = walk.record(batch_of(woven, 1), later);
  }
  return change;
}

TEST(Interleaving, RestsWhenLaterPassesWriteNoLessWal) {
  const auto change = judged_by_wal(written(400), written(390));
  ASSERT_TRUE(change);
  EXPECT_EQ(change->cause, "updates in later passes write 390 bytes of WAL per row, those on full pages 400");
  EXPECT_FALSE(judged_by_wal(written(400), written(230)));
}

TEST(Interleaving, RestsLongerEachTimeForItsWalToo) {
  Interleaving walk(kGround, true);
  const auto woven = walk.weave(9'000);
  std::vector<int> rests;
  for (int round = 0; round < 3; ++round) {
    while (walk.weave(9'000).passes > 1) {
      walk.record(batch_of(woven, 0), written(400));
      walk.record(batch_of(woven, 1), written(390));
      for (int i = 0; i < 20; ++i) walk.record(batch_of(woven, 1), {1'000, 900, kLong, {}});
    }
    rests.push_back(0);
    for (; walk.weave(9'000).passes == 1; ++rests.back())
      walk.record(batch_of(walk.weave(9'000), 0, true), {9'000, 0, kLong, {}});
  }
  EXPECT_EQ(rests, (std::vector<int>{Interleaving::kRestFirst, 2 * Interleaving::kRestFirst,
                                     4 * Interleaving::kRestFirst}));
}

TEST(Interleaving, DoesNotTakePageImagesBehindACheckpointForWhatFullPagesCost) {
  EXPECT_FALSE(judged_by_wal(written(2'000, 240), written(390))) << "nothing to compare with";
  EXPECT_TRUE(judged_by_wal(written(400, 1), written(500, 30))) << "passes write them anew: they count";
}

TEST(Interleaving, RestsWhileAReplicaFallsBehind) {
  Interleaving walk(kGround, true);
  ASSERT_TRUE(walk.on_replica_lag());
  EXPECT_EQ(walk.weave(9'000).passes, 1);
  EXPECT_FALSE(walk.on_replica_lag()) << "told once";
}

}  // namespace
}  // namespace pgsluice::walk
