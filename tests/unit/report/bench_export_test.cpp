// Goal: CSV and JSON hold every figure under a name that stays, and nothing where nothing is known.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "unit/report/bench_sample.hpp"

namespace pgsluice::report {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(by, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + by.size();
  }
  return parts;
}

TEST(BenchCsv, HasAHeaderAndALineForEachSetting) {
  const auto lines = split(bench_csv(sample_bench()), "\r\n");
  ASSERT_EQ(lines.size(), 10U) << "with the empty one behind the last line end";
  EXPECT_TRUE(
      lines[0].starts_with("walk,lanes,rows,trials,is_winner,rows_per_second,rows_per_second_min,rows_per_"
                           "second_max,batch_p50_ms"));
  EXPECT_TRUE(lines[3].starts_with("keyset,2,1000,3,true,41000,36900,45100,")) << lines[3];
  for (std::size_t i = 1; i + 1 < lines.size(); ++i)
    EXPECT_EQ(split(lines[i], ",").size(), split(lines[0], ",").size()) << lines[i];
}

TEST(BenchCsv, LeavesEmptyWhatIsNotKnown) {
  auto report = sample_bench();
  report.figures = {BenchFigures{}};
  report.winner.reset();
  EXPECT_EQ(split(bench_csv(report), "\r\n")[1].substr(0, 22), "keyset,1,0,0,false,,,,");
}

TEST(BenchCsv, QuotesRemarks) {
  auto report = sample_bench();
  report.figures[0].remarks = {"a \"b\", c", "d"};
  EXPECT_NE(bench_csv(report).find(",\"a \"\"b\"\", c; d\"\r\n"), std::string::npos);
}

TEST(BenchJson, IsOneDocumentWithTheWinner) {
  const auto json = base::Json::parse(bench_json(sample_bench()));
  EXPECT_EQ(json.at("type"), "bench");
  EXPECT_EQ(json.at("winner").at("lanes"), 2);
  EXPECT_EQ(json.at("winner").at("rows"), 1'000);
  EXPECT_EQ(json.at("figures").size(), 8U);
  EXPECT_DOUBLE_EQ(json.at("figures")[2].at("rows_per_second").at("median"), 41'000);
  EXPECT_EQ(json.at("seed"), 7);
}

TEST(BenchJson, IsNullWhereNothingIsKnown) {
  auto report = sample_bench();
  report.winner.reset();
  const auto json = base::Json::parse(bench_json(report));
  EXPECT_TRUE(json.at("winner").is_null());
  EXPECT_TRUE(json.at("figures")[0].at("cpu_us_per_row").is_null());
  EXPECT_TRUE(json.at("others_alone_p99_ms").is_null());
}

}  // namespace
}  // namespace pgsluice::report
