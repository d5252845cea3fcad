#include "walk/blocks.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace pgsluice::walk {
namespace {

constexpr Heap kHeap{16'384, 24'576};

struct Walked {
  std::vector<BlockBatch> batches;
  std::map<std::int64_t, std::set<int>> passes_of_block;
};

/// Every batch of a range, each begun from what the one before has committed, as the ledger keeps it.
Walked walked(std::int64_t lower, std::int64_t upper, const Weave& weave, std::int64_t pages) {
  Walked out;
  BlockPosition at{kHeap, lower, std::nullopt};
  for (int i = 0; i < 100'000; ++i) {
    const auto batch = next_block_batch(BlockPosition::of(at.key()), upper, weave, pages);
    out.batches.push_back(batch);
    for (auto block = batch.first; block < batch.end; ++block)
      EXPECT_TRUE(out.passes_of_block[block].insert(batch.pass).second) << "block " << block << " twice";
    if (batch.is_last) return out;
    at = batch.next;
  }
  ADD_FAILURE() << "never ends";
  return out;
}

TEST(Blocks, EveryPassComesByEveryBlockOfTheRangeOnce) {
  for (const auto& weave :
       {Weave{1, 1, 10}, Weave{4, 3, 10}, Weave{8, 3, 7}, Weave{3, 1, 100}, Weave{2, 5, 1}}) {
    for (const std::int64_t pages : {1, 3, 8, 1'000}) {
      const auto all = walked(5, 138, weave, pages);
      ASSERT_EQ(all.passes_of_block.size(), 133U);
      EXPECT_EQ(all.passes_of_block.begin()->first, 5);
      EXPECT_EQ(all.passes_of_block.rbegin()->first, 137);
      for (const auto& [block, passes] : all.passes_of_block)
        EXPECT_EQ(passes.size(), static_cast<std::size_t>(weave.passes)) << "block " << block;
    }
  }
}

TEST(Blocks, OtherWindowsComeBetweenTwoPassesOfOne) {
  const auto all = walked(0, 300, {4, 3, 50}, 50);
  std::map<std::int64_t, std::size_t> last;
  for (std::size_t i = 0; i < all.batches.size(); ++i) {
    const auto first = all.batches[i].first;
    if (const auto before = last.find(first); before != last.end()) {
      EXPECT_EQ(i - before->second, 3U);
    }
    last[first] = i;
  }
}

TEST(Blocks, AGroupThatDoesNotPayGoesOnWithItsLastPass) {
  const Weave woven{8, 3, 20};
  const auto first = next_block_batch({kHeap, 0, std::nullopt}, 100, woven, 20);
  auto batch = next_block_batch(first.next, 100, {1, 1, 5}, 5);
  EXPECT_TRUE(batch.is_last_pass());
  EXPECT_EQ(batch.first, 0) << "every window comes once more";
  EXPECT_EQ(batch.end, 5);
  int batches = 1;
  while (batch.next.group) {
    batch = next_block_batch(batch.next, 100, {1, 1, 5}, 5);
    ++batches;
  }
  EXPECT_EQ(batches, 12);
  EXPECT_EQ(batch.next.block, 60);
}

TEST(Blocks, AGroupIsVisitedAsItWasBegunWhateverOtherPassesAreDecidedMeanwhile) {
  auto batch = next_block_batch({kHeap, 0, std::nullopt}, 100, {2, 2, 25}, 25);
  const Weave other{4, 3, 3};
  for (int i = 0; i < 3; ++i) {
    batch = next_block_batch(batch.next, 100, other, 25);
    EXPECT_EQ(batch.end - batch.first, 25);
    EXPECT_EQ(batch.weave.passes, 2);
  }
  EXPECT_FALSE(batch.next.group);
  EXPECT_EQ(batch.next.block, 50);
  EXPECT_EQ(next_block_batch(batch.next, 100, other, 3).weave, other);
}

TEST(Blocks, ABatchTakesFewerBlocksWhenTheSizeShrinksWithinAWindow) {
  const auto first = next_block_batch({kHeap, 0, std::nullopt}, 100, {2, 1, 100}, 10);
  EXPECT_EQ(first.end, 10);
  EXPECT_EQ(first.next.group->place, 10);
  const auto rest = next_block_batch(first.next, 100, {2, 1, 100}, 70);
  EXPECT_EQ(rest.end, 100) << "a rest of little more is taken along";
  EXPECT_EQ(rest.next.group->visit, 1);
  EXPECT_EQ(rest.next.group->place, 0);
}

TEST(Blocks, APassTakesItsShareOfEachPageAndTheLastOneWhatIsLeft) {
  BlockBatch batch;
  batch.first = 3;
  batch.end = 7;
  batch.pass = 1;
  batch.weave = {4, 3, 4};
  const auto share = block_predicate(batch);
  EXPECT_EQ(share.params, (pg::Params{"(3,0)", "(7,0)", "4", "1"}));
  EXPECT_NE(share.sql.find("% $3::int = $4::int"), std::string::npos);
  batch.pass = 3;
  const auto rest = block_predicate(batch);
  EXPECT_EQ(rest.params, (pg::Params{"(3,0)", "(7,0)"}));
  EXPECT_EQ(rest.sql.find('%'), std::string::npos);
}

TEST(Blocks, ARangeIsCutBehindTheGroupInWork) {
  EXPECT_EQ(block_middle({kHeap, 100, std::nullopt}, 200), 150);
  BlockPosition at{kHeap, 100, BlockPosition::Group{{8, 3, 20}, 4, 120}};
  EXPECT_EQ(block_middle(at, 200), 180);
  EXPECT_EQ(block_middle(at, 161), std::nullopt);
  EXPECT_EQ(block_middle(at, 150), std::nullopt);
}

}  // namespace
}  // namespace pgsluice::walk
