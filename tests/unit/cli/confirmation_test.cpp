// Goal: only a clear yes is taken for one. Method: answers as people type them.
#include "cli/confirmation.hpp"

#include <gtest/gtest.h>

namespace pgsluice::cli {
namespace {

TEST(Confirmation, IsGivenByYAndYesOnly) {
  for (const char* answer : {"y", "Y", "yes", "YES", " yes \r"}) EXPECT_TRUE(is_yes(answer)) << answer;
  for (const char* answer : {"", "n", "no", "ye", "yess", "ok", "1", "y n"})
    EXPECT_EQ(is_yes(answer), false) << answer;
}

}  // namespace
}  // namespace pgsluice::cli
