// Goal: a statement counts as done only if all that it makes is there and equal; what differs is told.
#include "kinds/sql/existing/comparison.hpp"

#include <gmock/gmock.h>

#include "kinds/sql/found_done.hpp"

namespace pgsluice::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const ObjectPair kSame{"column \"a\"", "integer", "integer"};
const ObjectPair kMissing{"column \"b\"", "text", std::nullopt};
const ObjectPair kOtherType{"column \"c\"", "bigint", "integer"};

TEST(Comparison, IsNothingWhereNothingIsThere) {
  EXPECT_EQ(judge_objects("", {kMissing}).existing, Existing::kNone);
  EXPECT_EQ(judge_objects("", {}).existing, Existing::kNone);
}

TEST(Comparison, IsAllOnlyIfEverythingIsEqual) {
  const auto all = judge_objects(" of table t", {kSame});
  EXPECT_EQ(all.existing, Existing::kAll);
  EXPECT_EQ(all.words, "column \"a\" of table t");
  EXPECT_EQ(judge_objects("", {kSame, kMissing}).existing, Existing::kOther);
  EXPECT_EQ(judge_objects("", {kSame, kOtherType}).existing, Existing::kOther);
}

TEST(Comparison, TellsWhatIsThereAndWhatIsWanted) {
  const auto other = judge_objects(" of table t", {kSame, kMissing, kOtherType});
  EXPECT_THAT(other.words,
              AllOf(HasSubstr("column \"b\" is not there"),
                    HasSubstr("column \"c\" is there as integer, and the statement makes bigint"),
                    HasSubstr("column \"a\" is there as the statement makes it")));
}

TEST(Comparison, OfLongTextsNamesTheFirstLineThatDiffers) {
  const auto other =
      judge_objects("", {{"function f", "()\nBEGIN\n x := 1;\nEND", "()\nBEGIN\n x := 2;\nEND"}});
  EXPECT_THAT(other.words, HasSubstr("it says \" x := 2;\", and the statement \" x := 1;\""));
}

TEST(FoundDone, IsReadFromTheDetailThatItWrote) {
  const auto all = FoundDone::of_detail(FoundDone{true, "column a"}.detail());
  EXPECT_TRUE(all.is_all);
  EXPECT_EQ(all.words, "column a");
  EXPECT_FALSE(FoundDone::of_detail(FoundDone{false, "column a"}.detail()).is_all);
  EXPECT_EQ(FoundDone::of_detail("").words, "");
  EXPECT_EQ(FoundDone::of_detail("12 unchanged").words, "");
}

}  // namespace
}  // namespace pgsluice::engine
