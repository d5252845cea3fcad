// Goal: repainting leaves nothing behind and always gives the text cursor back.
#include "report/live/screen.hpp"

#include <gtest/gtest.h>

#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

TEST(Screen, GoesBackOverWhatItPainted) {
  const Capture capture;
  Screen screen(capture.file());
  screen.paint({}, {"one", "two", "three"}, 80);
  screen.paint({}, {"four"}, 80);
  EXPECT_EQ(capture.text(),
            "\x1b[?25l\x1b[2Kone\n\x1b[2Ktwo\n\x1b[2Kthree\n\x1b[J\r\x1b[3A"
            "\x1b[2Kfour\n\x1b[J");
}

TEST(Screen, LetsLinesScrollAwayAboveTheBlock) {
  const Capture capture;
  Screen screen(capture.file());
  screen.paint({}, {"view"}, 80);
  screen.paint({"warning"}, {"view"}, 80);
  EXPECT_TRUE(contains(capture.text(), "\r\x1b[1A\x1b[2Kwarning\n\x1b[2Kview\n"));
}

TEST(Screen, CountsTheRowsOfLinesThatANarrowerWindowBroke) {
  EXPECT_EQ(rows_taken({10, 0, 20, 21}, 10), 1U + 1U + 2U + 3U);
}

TEST(Screen, ShowsTheCursorAgainWhenItEnds) {
  const Capture capture;
  {
    Screen screen(capture.file());
    screen.paint({}, {"view"}, 80);
  }
  EXPECT_EQ(count_of(capture.text(), "\x1b[?25h"), 1U);
}

TEST(Screen, WritesNothingIfItNeverPainted) {
  const Capture capture;
  { const Screen screen(capture.file()); }
  EXPECT_EQ(capture.text(), "");
}

}  // namespace
}  // namespace pgsluice::report
