// Goal: columns line up for every reader.
#include "cli/results/table.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRight) {
  Table table({"NAME", "ROWS", "NOTE"}, {1});
  table.add({"a", "1,234", "é"});
  table.add({"longer", "7", ""});
  EXPECT_THAT(table.lines("  "),
              testing::ElementsAre("  NAME     ROWS  NOTE", "  a       1,234  é", "  longer      7"));
}

TEST(Table, KeepsACellOnItsLine) {
  Table table({"A", "B"}, {});
  table.add({"one\ntwo", "x"});
  EXPECT_THAT(table.lines(""), testing::ElementsAre("A        B", "one two  x"));
}

}  // namespace
}  // namespace pgsluice::cli
