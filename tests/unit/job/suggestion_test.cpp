// Goal: a mistyped word leads to the word that was meant, and a strange one to the list.
// Method: a table of words.
#include "job/read/suggestion.hpp"

#include <gtest/gtest.h>

namespace pgsluice::job {
namespace {

const std::vector<std::string> kKeys = {"rows", "target", "rows_min", "rows_max"};

TEST(Suggestion, FindsTheWordThatWasMeant) {
  EXPECT_EQ(closest("tarjet", kKeys), "target");
  EXPECT_EQ(closest("traget", kKeys), "target");  // swapped neighbours are one edit
  EXPECT_EQ(closest("TARGET", kKeys), "target");
  EXPECT_EQ(closest("row", kKeys), "rows");
  EXPECT_EQ(closest("rows_mix", kKeys), "rows_min");
}

TEST(Suggestion, DoesNotGuessWhenNothingIsNear) {
  EXPECT_EQ(closest("where", kKeys), "");
  EXPECT_EQ(closest("", kKeys), "");
  EXPECT_EQ(closest(std::string(100'000, 'r'), kKeys), "");
}

TEST(Suggestion, NamesWhatIsKnownInstead) {
  EXPECT_EQ(suggestion("tarjet", kKeys, "keys"), "did you mean \"target\"?");
  EXPECT_EQ(suggestion("where", kKeys, "keys"), "known keys: rows, target, rows_min, rows_max");
}

}  // namespace
}  // namespace pgsluice::job
