// Goal: a range, what came true and the error are shown as they are, and nothing is made up that is not
// known.
#include "cli/results/foretold_text.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Foretold sample() {
  Foretold f;
  f.is_sampled = true;
  f.basis = "60 small batches";
  f.rows = {900, 1'000, 1'100};
  f.seconds = {1, 2, 3};
  f.wal_bytes = {1'024, 2'048, 4'096};
  return f;
}

TEST(ForetoldText, ShowsTheLikelyValueWithItsRange) {
  const auto lines = foretold_lines(sample());
  EXPECT_THAT(lines, Contains("rows to change: 1,000 (900 to 1,100)"));
  EXPECT_THAT(lines, Contains("duration: 2.0 s (1.0 s to 3.0 s)"));
  EXPECT_THAT(lines, Contains("from 60 small batches"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("before-images"))));
}

TEST(ForetoldText, TooMuchForetoldIsAnErrorAboveZero) {
  EXPECT_DOUBLE_EQ(*error_percent({0, 120, 0}, 100), 20);
  EXPECT_DOUBLE_EQ(*error_percent({0, 80, 0}, 100), -20);
}

TEST(ForetoldText, NothingThatCameTrueMeansNoError) {
  EXPECT_FALSE(error_percent({0, 80, 0}, std::nullopt));
  EXPECT_FALSE(error_percent({0, 80, 0}, 0));
}

TEST(ForetoldText, StatusShowsWhatCameTrueBesideIt) {
  CameTrue came;
  came.rows = 800;
  const auto lines = came_true_lines("fill", sample(), came);
  EXPECT_THAT(lines, Contains(HasSubstr("FORETOLD OF fill")));
  EXPECT_THAT(lines, Contains(testing::ContainsRegex("rows to change +900 +1,000 +1,100 +800 +\\+25.0 %")));
}

TEST(ForetoldText, JsonKnowsNullFromZero) {
  CameTrue came;
  came.rows = 800;
  const auto json = foretold_json(sample(), came);
  EXPECT_EQ(json["rows"]["came_true"], 800);
  EXPECT_EQ(json["rows"]["error_percent"], 25);
  EXPECT_TRUE(json["seconds"]["came_true"].is_null());
  EXPECT_FALSE(json.contains("image_bytes"));
  EXPECT_FALSE(foretold_json(sample())["rows"].contains("came_true"));
}

}  // namespace
}  // namespace pgsluice::cli
