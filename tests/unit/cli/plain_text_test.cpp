// Goal: text from elsewhere is shown as it is, but can steer no terminal.
#include "cli/results/plain_text.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

using testing::ElementsAre;

TEST(PlainText, ControlCharactersBecomeBlanks) {
  EXPECT_EQ(plain_line("a\x1b[31mb\rc\x7f"), "a [31mb c ");
  EXPECT_EQ(plain_line("a\xC2\x9B"
                       "31mb"),
            "a  31mb")
      << "CSI as one character of Latin-1";
}

TEST(PlainText, SqlStaysAsItIs) {
  EXPECT_EQ(plain_line("  SELECT\t'é ü 表'"), "  SELECT\t'é ü 表'");
}

TEST(PlainText, ProseIsOneLineOfWords) {
  EXPECT_EQ(plain_words(" no such file\n\tIs the\r\n server up?\n"), "no such file Is the server up?");
  EXPECT_EQ(plain_words(" \n"), "");
}

TEST(PlainText, LinesKeepTheirIndentAndLoseEmptyEnds) {
  EXPECT_THAT(plain_lines("\nUPDATE t\n   SET a = 1\n\n WHERE b\n  \n"),
              ElementsAre("UPDATE t", "   SET a = 1", "", " WHERE b"));
  EXPECT_THAT(plain_lines(""), ElementsAre());
  EXPECT_THAT(plain_lines("\n \n"), ElementsAre());
}

TEST(PlainText, CharactersAreCountedNotBytes) {
  EXPECT_EQ(character_count("é…x"), 3U);
}

}  // namespace
}  // namespace pgsluice::cli
