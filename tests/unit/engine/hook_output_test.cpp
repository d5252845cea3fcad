// Goal: what a command of the operator writes is kept in bounds, cannot control a terminal, and shows no
// password. Method: bytes in, text out.
#include "engine/hook/hook_output.hpp"

#include <gmock/gmock.h>

namespace pgsluice::engine {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string plain(const std::string& bytes, const std::vector<std::string>& secrets = {}) {
  OutputTail tail;
  tail.add(bytes);
  return plain_output(tail, secrets);
}

TEST(HookOutput, IsLinesWithoutControlCharacters) {
  EXPECT_EQ(plain("one\r\n\n\x1b]0;title\a two\n"), "one\n]0;title two");
  EXPECT_EQ(plain(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(plain("\xff"), "\uFFFD");
  EXPECT_EQ(plain(""), "");
}

TEST(HookOutput, IsTheEndOfWhatWasWritten) {
  OutputTail tail;
  for (int i = 0; i < 100'000; ++i) tail.add("line " + std::to_string(i) + "\n");
  const auto text = plain_output(tail, {});
  EXPECT_LE(text.size(), kHookOutputMost);
  EXPECT_GT(text.size(), kHookOutputMost - 100);
  EXPECT_THAT(text, EndsWith("line 99999"));
}

TEST(HookOutput, IsNotCutWithinACharacter) {
  std::string many;
  for (int i = 0; i < 3'000; ++i) many += "é";
  EXPECT_THAT(plain("x" + many), Not(HasSubstr("\uFFFD")));
  EXPECT_EQ(plain("x" + many).size(), kHookOutputMost);
}

TEST(HookOutput, ShowsNoPassword) {
  EXPECT_EQ(plain("trying hush-hush\n", {"hush", "hush-hush"}), "trying xxxxxxxxx");
  EXPECT_EQ(plain("PGPASSWORD=hush\nurl postgresql://u:hu%40sh@h/d\n"),
            "PGPASSWORD=xxxx\nurl postgresql://u:xxxxxxx@h/d");
  EXPECT_EQ(plain("nothing", {""}), "nothing");
}

TEST(HookOutput, ShowsNoRestOfAPasswordWhereItIsCut) {
  for (int all = 4'000; all < 20'000; all += 7) {
    OutputTail tail;
    tail.add("secret");
    tail.add(std::string(static_cast<std::size_t>(all), '\1'));  // takes room at first, and is left out
    EXPECT_EQ(plain_output(tail, {"secret"}).find_first_of("secrt"), std::string::npos) << all;
  }
  for (std::size_t left = 1; left < 6; ++left) {
    OutputTail tail;
    tail.add("secret");
    tail.add(std::string(4 * kHookOutputMost - left, '\1'));
    ASSERT_TRUE(tail.is_cut());
    EXPECT_EQ(plain_output(tail, {"secret"}), "") << left;
  }
}

TEST(HookFailure, NamesTheCommandHowItEndedAndItsLastLine) {
  EXPECT_EQ(hook_failure({"before", "c", 0, "", 1, "fine"}), "");
  EXPECT_EQ(hook_failure({"before", "c", 3, "", 1, "one\nno such host"}),
            "the command `before` exited with 3: no such host");
  EXPECT_EQ(hook_failure({"after", "c", -1, "its time of 1.0 s is over", 1, ""}),
            "the command `after` failed: its time of 1.0 s is over");
}

}  // namespace
}  // namespace pgsluice::engine
