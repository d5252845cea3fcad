// Goal: no two lanes work in one strip, and a trial goes on where the one before ended.
#include "bench/rolled/strip.hpp"

#include <gtest/gtest.h>

namespace pgsluice::bench {
namespace {

/// Over after some batches.
class ShortStrip final : public Strip {
 public:
  explicit ShortStrip(int batches) : batches_(batches), left_(batches) {}
  StripBatch next(pg::Session&, std::int64_t) override { return {}; }
  bool is_over() const override { return left_ == 0; }
  void start_again() override { left_ = batches_; }
  void use() { --left_; }

 private:
  int batches_;
  int left_;
};

StripRing ring(int strips, int batches) {
  std::vector<std::unique_ptr<Strip>> all;
  for (int i = 0; i < strips; ++i) all.push_back(std::make_unique<ShortStrip>(batches));
  return StripRing(std::move(all));
}

TEST(StripRing, GivesEachStripToOneLane) {
  auto two = ring(2, 1);
  const auto first = two.take();
  const auto second = two.take();
  EXPECT_NE(first, second);
  EXPECT_EQ(two.take(), nullptr) << "no third lane has anything to do";
  two.give_back(first);
  EXPECT_EQ(two.take(), first);
}

TEST(StripRing, GoesRoundBeforeAStripComesAgain) {
  auto three = ring(3, 5);
  std::vector<std::shared_ptr<Strip>> seen;
  for (int i = 0; i < 3; ++i) {
    seen.push_back(three.take());
    three.give_back(seen.back());
  }
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_NE(seen[1], seen[2]);
  EXPECT_EQ(three.take(), seen[0]);
}

TEST(StripRing, CountsHowOftenAStripHadToBeginAgain) {
  auto one = ring(1, 1);
  const auto strip = one.take();
  std::static_pointer_cast<ShortStrip>(strip)->use();
  one.give_back(strip);
  EXPECT_EQ(one.restarts(), 0);
  EXPECT_FALSE(one.take()->is_over());
  EXPECT_EQ(one.restarts(), 1);
}

TEST(StripRing, CutsAsManyStripsAsLargeBatchesLeaveRoomFor) {
  EXPECT_EQ(strip_count(10'000'000, 10'000, 4), kStripsMax);
  EXPECT_EQ(strip_count(400'000, 10'000, 4), 10);
  EXPECT_EQ(strip_count(1'000, 10'000, 4), 4) << "one for each lane, however small";
}

}  // namespace
}  // namespace pgsluice::bench
