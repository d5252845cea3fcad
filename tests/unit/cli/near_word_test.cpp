// Goal: a slip of the finger finds its word; another word finds none.
#include "cli/results/near_word.hpp"

#include <gtest/gtest.h>

namespace pgsluice::cli {
namespace {

const std::vector<std::string> kWords = {"plan", "pause", "run", "status", "--dsn", "--json"};

TEST(NearWord, FindsWhatASlipOfTheFingerMeant) {
  EXPECT_EQ(near_word("stauts", kWords), "status");
  EXPECT_EQ(near_word("paus", kWords), "pause");
  EXPECT_EQ(near_word("plann", kWords), "plan");
  EXPECT_EQ(near_word("--dns", kWords), "--dsn");
  EXPECT_EQ(near_word("--jsno", kWords), "--json") << "swapped neighbours are one edit";
}

TEST(NearWord, FindsNothingForAnotherWord) {
  EXPECT_EQ(near_word("migrate", kWords), "");
  EXPECT_EQ(near_word("", kWords), "");
  EXPECT_EQ(near_word("status", {}), "");
}

}  // namespace
}  // namespace pgsluice::cli
