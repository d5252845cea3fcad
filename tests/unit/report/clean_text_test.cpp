// Goal: nothing that comes from a job file or a server can disturb a terminal, and no line is wider than it
// may be.
#include "report/text/clean_text.hpp"

#include <gtest/gtest.h>

namespace pgsluice::report {
namespace {

TEST(CleanLine, MakesOneLineOfMany) {
  EXPECT_EQ(clean_line("  select 1\n\tfrom  t\r\n"), "select 1 from t");
}

TEST(CleanLine, TakesTheTeethOutOfEscapeSequences) {
  EXPECT_EQ(clean_line("a\x1b[2Jb\x07"), "a [2Jb");
  EXPECT_EQ(clean_line("a\xc2\x9b"
                       "2Jb"),
            "a 2Jb");  // CSI as one C1 character
}

TEST(CleanLine, RemovesMarksThatReverseTheReadingDirection) {
  EXPECT_EQ(clean_line("a\u202Eb"), "ab");
}

TEST(CleanLine, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(clean_line("a\xff"
                       "b"),
            "a\uFFFDb");
  EXPECT_EQ(clean_line("\xc3"), "\uFFFD");                      // cut short
  EXPECT_EQ(clean_line("\xc0\xaf"), "\uFFFD\uFFFD");            // written too long
  EXPECT_EQ(clean_line("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
}

TEST(CleanLine, KeepsOtherScripts) {
  EXPECT_EQ(clean_line("Größe 表"), "Größe 表");
}

TEST(CleanLine, IsAsciiWhereTheLocaleIs) {
  EXPECT_EQ(clean_line("Größe 表", false), "Gr??e ?");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("Größe"), 5U);
  EXPECT_EQ(display_width("表表"), 4U);
  EXPECT_EQ(display_width("█▌░"), 3U);
}

TEST(DisplayWidth, IgnoresColour) {
  EXPECT_EQ(display_width("\x1b[1;33mheld\x1b[0m"), 4U);
}

TEST(FitLine, CutsWithAnEllipsis) {
  EXPECT_EQ(fit_line("abcdef", 6, true), "abcdef");
  EXPECT_EQ(fit_line("abcdef", 5, true), "abcd…");
  EXPECT_EQ(fit_line("abcdef", 5, false), "ab...");
  EXPECT_EQ(fit_line("abcdef", 2, false), "ab");
  EXPECT_EQ(fit_line("abcdef", 0, true), "");
}

TEST(FitLine, DoesNotCutAWideCharacterInTwo) {
  EXPECT_EQ(fit_line("表表表", 4, true), "表…");
}

TEST(PackLines, BreaksBetweenTexts) {
  const std::vector<std::string> expected = {"ab  cd", "efgh"};
  EXPECT_EQ(pack_lines({"ab", "cd", "efgh"}, "  ", 8, true), expected);
}

TEST(WrapLine, BreaksAtBlanksAndLosesNoWord) {
  const std::vector<std::string> expected = {"held: one", "two three"};
  EXPECT_EQ(wrap_line("held: one two three", 10, true), expected);
  EXPECT_TRUE(wrap_line("", 10, true).empty());
}

}  // namespace
}  // namespace pgsluice::report
