// Goal: quantities read from people and printed for people keep their value and their unit.
// Method: tables of text and value, both ways.
#include "base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgsluice::base {
namespace {

using std::chrono::milliseconds;

TEST(Units, ReadADurationInEveryUnit) {
  EXPECT_EQ(parse_duration("0ms"), milliseconds(0));
  EXPECT_EQ(parse_duration("100ms"), milliseconds(100));
  EXPECT_EQ(parse_duration("2s"), milliseconds(2'000));
  EXPECT_EQ(parse_duration("15min"), milliseconds(900'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("1d"), milliseconds(86'400'000));
}

TEST(Units, RefuseADurationThatIsNotOneNumberAndOneUnit) {
  for (const char* text : {"", "100", "ms", "-1s", "+1s", " 1s", "1 s", "1s ", "1.5s", "1m", "1S", "1h30min",
                           "0x1s", "9223372036854775807s", "99999999999999999999ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Units, ReadBytesInPowersOf1024) {
  EXPECT_EQ(parse_bytes("512B"), 512);
  EXPECT_EQ(parse_bytes("64kB"), 65'536);
  EXPECT_EQ(parse_bytes("64MB"), 67'108'864);
  EXPECT_EQ(parse_bytes("1GB"), 1'073'741'824);
  EXPECT_EQ(parse_bytes("1TB"), 1'099'511'627'776);
}

TEST(Units, RefuseBytesThatAreNotOneNumberAndOneUnit) {
  for (const char* text : {"", "64", "MB", "64mb", "64KB", "64 MB", "-1B", "1.5GB", "8388608TB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Units, ReadATimeOfDayAsMinutes) {
  EXPECT_EQ(parse_time_of_day("00:00"), 0);
  EXPECT_EQ(parse_time_of_day("06:00"), 360);
  EXPECT_EQ(parse_time_of_day("23:59"), 1'439);
  for (const char* text : {"", "6:00", "24:00", "12:60", "12-30", "12:3", "-1:00", "12:30:00", "+1:00"}) {
    EXPECT_EQ(parse_time_of_day(text), std::nullopt) << text;
  }
}

TEST(Units, PrintADurationWithoutFalsePrecision) {
  EXPECT_EQ(format_duration(milliseconds(85)), "85 ms");
  EXPECT_EQ(format_duration(milliseconds(1'200)), "1.2 s");
  EXPECT_EQ(format_duration(milliseconds(59'949)), "59.9 s");
  EXPECT_EQ(format_duration(milliseconds(59'950)), "1m00s");
  EXPECT_EQ(format_duration(milliseconds(271'000)), "4m31s");
  EXPECT_EQ(format_duration(milliseconds(7'500'000)), "2h05m");
  EXPECT_EQ(format_duration(milliseconds(-85)), "-85 ms");
}

TEST(Units, PrintBytesInTheUnitThatFits) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1'023), "1023 B");
  EXPECT_EQ(format_bytes(1'024), "1.0 kB");
  EXPECT_EQ(format_bytes(67'108'864), "64.0 MB");
  EXPECT_EQ(format_bytes(1'048'575), "1.0 MB");
  EXPECT_EQ(format_bytes(1e15), "909.5 TB");
}

TEST(Units, SaysHowFarBehindACopyIs) {
  EXPECT_EQ(format_behind(0, -1), "nothing behind");
  EXPECT_EQ(format_behind(1, 0.4), "1 entry behind, as of 400 ms ago");
  EXPECT_EQ(format_behind(12'345, 90), "12,345 entries behind, as of 1m30s ago");
}

TEST(Units, GroupTheDigitsOfACount) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_count(-1'000), "-1,000");
  EXPECT_EQ(format_count(-100), "-100");
  EXPECT_EQ(format_count(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Units, WriteTheShortestTextThatReadsBack) {
  for (const char* text : {"0ms", "1ms", "1500ms", "90s", "15min", "36h", "2d"}) {
    EXPECT_EQ(duration_text(*parse_duration(text)), text);
  }
  for (const char* text : {"0B", "1000B", "64kB", "64MB", "3GB", "2TB"})
    EXPECT_EQ(bytes_text(*parse_bytes(text)), text);
  EXPECT_EQ(duration_text(milliseconds(60'000)), "1min");
  EXPECT_EQ(bytes_text(1'024), "1kB");
}

}  // namespace
}  // namespace pgsluice::base
