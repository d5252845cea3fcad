#include "table/walk_choice/walk_choice.hpp"

#include <gtest/gtest.h>

#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

BackfillStep step() {
  BackfillStep step;
  step.table = {"public", "users"};
  step.set = {{"onboarded", "true"}};
  step.where = "onboarded IS NULL";
  return step;
}

WalkFacts facts() {
  WalkFacts facts;
  facts.sets_what_where_asks = true;
  facts.server_version = 150'004;
  facts.heaps = {{1, 1, "\"public\".\"users\"", "heap", 14'000, 1'000'000, 100, true}};
  return facts;
}

std::string refusal(const BackfillStep& step, const WalkFacts& facts) {
  try {
    choose_walk(step, facts);
  } catch (const Error& e) {
    return e.what();
  }
  return "taken";
}

TEST(WalkChoice, InterleavesWhereUpdatesCanBeHot) {
  EXPECT_EQ(choose_walk(step(), facts()).walk, Walk::kInterleaved);
}

TEST(WalkChoice, SaysThatATriggerMayKeepUpdatesFromBeingHot) {
  auto f = facts();
  f.rewriting_triggers = {"touch"};
  const auto choice = choose_walk(step(), f);
  EXPECT_EQ(choice.walk, Walk::kInterleaved)
      << "most triggers do no harm, and the share of HOT updates is watched";
  EXPECT_NE(choice.reason.find("trigger \"touch\""), std::string::npos) << choice.reason;
}

TEST(WalkChoice, FollowsTheKeyWhereRowsLieInItsOrderAndNoUpdateIsHot) {
  auto f = facts();
  f.indexes_changed = {"users_onboarded"};
  const auto choice = choose_walk(step(), f);
  EXPECT_EQ(choice.walk, Walk::kKeyset);
  EXPECT_NE(choice.reason.find("users_onboarded"), std::string::npos);
  f.key_correlation = 0.01;
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kBlocks);
}

TEST(WalkChoice, LeavesAReplicaAloneThatMayServeQueriesUnlessTold) {
  auto f = facts();
  f.silent_replicas = {"reports"};
  auto choice = choose_walk(step(), f);
  EXPECT_EQ(choice.walk, Walk::kKeyset);
  EXPECT_NE(choice.reason.find("reports"), std::string::npos);
  auto s = step();
  s.is_replica_conflict_allowed = true;
  EXPECT_EQ(choose_walk(s, f).walk, Walk::kInterleaved);
}

TEST(WalkChoice, FollowsTheKeyWherePagesWithRowsHaveRoomAnyhow) {
  auto f = facts();
  f.page = {36, 3'900};
  const auto choice = choose_walk(step(), f);
  EXPECT_EQ(choice.walk, Walk::kKeyset);
  EXPECT_NE(choice.reason.find("only about 48 % full"), std::string::npos) << choice.reason;
  f.page = {72, 7'800};
  f.heaps[0].pages *= 2;  // the other half of the pages is empty
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kInterleaved);
  f.page = {36, 0};
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kInterleaved) << "never analysed: not known";
}

TEST(WalkChoice, LetsNoPartitionSpeakForAllOthers) {
  auto f = facts();
  f.heaps.push_back({2, 2, "last year's", "heap", 15'000, 30'000, 100, true});
  f.page = {2, 7'800};
  EXPECT_NEAR(f.rows_per_page(), 18, 1) << "half of the average at least";
}

TEST(WalkChoice, ReadsPagesOnlyIfItDependsOnThem) {
  auto f = facts();
  auto s = step();
  EXPECT_TRUE(is_page_sample_wanted(s, f));
  s.walk = Walk::kKeyset;
  EXPECT_FALSE(is_page_sample_wanted(s, f));
  s.walk = Walk::kAuto;
  f.heaps[0].pages = 10;
  EXPECT_FALSE(is_page_sample_wanted(s, f)) << "a small table";
  s.walk = Walk::kInterleaved;
  EXPECT_TRUE(is_page_sample_wanted(s, f)) << "its passes depend on it";
  f.heaps[0].is_changeable = false;
  EXPECT_FALSE(is_page_sample_wanted(s, f)) << "it will be refused";
}

TEST(WalkChoice, CountsTheRowsOfAPageAsARowSeesThem) {
  auto f = facts();
  f.heaps[0].rows = 14'000 * 3;
  f.page = {72, 7'800};
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kInterleaved) << "most pages are empty";
}

TEST(WalkChoice, WalksATableWithoutAKeyByItsBlocks) {
  auto f = facts();
  f.key_problem = "table \"public.users\" has no key to walk";
  f.heaps[0].pages = 3;
  f.indexes_changed = {"users_onboarded"};
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kBlocks);
}

TEST(WalkChoice, RefusesBlocksInWordsWhereRowsCouldBeDoneTwice) {
  auto s = step();
  s.walk = Walk::kBlocks;
  auto f = facts();
  EXPECT_EQ(refusal(s, f), "taken");
  f.sets_what_where_asks = false;
  EXPECT_NE(refusal(s, f).find("changed twice"), std::string::npos);
  s.where.clear();
  EXPECT_NE(refusal(s, f).find("no `where`"), std::string::npos);
  s.walk = Walk::kAuto;
  EXPECT_EQ(choose_walk(s, f).walk, Walk::kKeyset);
}

TEST(WalkChoice, RefusesBlocksOnServersThatCannotReadARangeOfThem) {
  auto s = step();
  s.walk = Walk::kInterleaved;
  auto f = facts();
  f.server_version = 130'012;
  EXPECT_NE(refusal(s, f).find("older than version 14"), std::string::npos);
}

TEST(WalkChoice, RefusesBlocksOfWhatIsNotAHeapOrMayNotBeChanged) {
  auto s = step();
  s.walk = Walk::kBlocks;
  auto f = facts();
  f.heaps[0].is_changeable = false;
  EXPECT_NE(refusal(s, f).find("may not change"), std::string::npos);
  f = facts();
  f.heaps[0].access_method = "columnar";
  EXPECT_NE(refusal(s, f).find("columnar"), std::string::npos);
  f = facts();
  f.moves_between_partitions = true;
  EXPECT_NE(refusal(s, f).find("another partition"), std::string::npos);
}

TEST(WalkChoice, DoesNotInterleaveWideRowsOrPagesWithRoom) {
  auto f = facts();
  f.heaps[0].rows = 14'000 * 3;
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kKeyset);
  f = facts();
  f.heaps[0].fillfactor = 50;
  EXPECT_EQ(choose_walk(step(), f).walk, Walk::kKeyset);
}

}  // namespace
}  // namespace pgsluice::engine
