// Goal: the reporter never holds up the publisher, loses only what may be lost, and says how much that
// was. Method: real threads; a pipe that nobody reads stands for a slow terminal.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "base/json.hpp"
#include "base/units.hpp"
#include "pgsluice/report.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

ReportOptions json_to(std::FILE* out) {
  ReportOptions options;
  options.style = ReportStyle::kJson;
  options.log_batches = true;
  options.out = out;
  return options;
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 65'536> buffer{};
  for (ssize_t got = 1; got > 0;) {
    got = read(fd, buffer.data(), buffer.size());
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

TEST(Reporter, PrintsEverythingBeforeFinishReturns) {
  const Capture out;
  const auto reporter = make_reporter(json_to(out.file()));
  reporter->publish(sample_event(event::RunStarted{}));
  reporter->publish(sample_event(event::Batch{}));
  reporter->publish(sample_event(event::Summary{}));
  reporter->finish();
  reporter->finish();  // a second time does nothing
  const auto lines = lines_of(out.text());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(base::Json::parse(lines.back())["type"], "summary");
}

TEST(Reporter, TheDestructorPrintsTheRest) {
  const Capture out;
  { make_reporter(json_to(out.file()))->publish(sample_event(event::Warning{"w", ""})); }
  EXPECT_EQ(lines_of(out.text()).size(), 1U);
}

TEST(Reporter, LeavesBatchesOutUnlessAskedFor) {
  const Capture out;
  auto options = json_to(out.file());
  options.log_batches = false;
  const auto reporter = make_reporter(options);
  reporter->publish(sample_event(event::Batch{}));
  reporter->publish(sample_event(event::Summary{}));
  reporter->finish();
  const auto lines = lines_of(out.text());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(base::Json::parse(lines.front())["events_dropped"], 0);
}

TEST(Reporter, LosesNoneOfWhatFourThreadsMustTell) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  const Capture out;
  const auto reporter = make_reporter(json_to(out.file()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&reporter, thread] {
      for (int i = 0; i < kEach; ++i) reporter->publish(sample_event(event::Lease{i, thread, 1, false}));
    });
  }
  for (auto& thread : threads) thread.join();
  reporter->finish();
  std::array<int, kThreads> next{};
  for (const auto& line : lines_of(out.text())) {
    const auto json = base::Json::parse(line);
    EXPECT_EQ(json["range_id"], next[json["lane"].get<std::size_t>()]++);
  }
  EXPECT_EQ(next, (std::array<int, kThreads>{kEach, kEach, kEach, kEach}));
}

TEST(Reporter, DropsOnlyBatchesWhenNobodyReadsAndCountsThem) {
  constexpr std::size_t kBatches = 68'000;  // more than the queue and the pipe together take
  constexpr std::size_t kWarnings = 100;
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  ReportOptions options;
  options.style = ReportStyle::kLines;
  options.log_batches = true;
  options.err = fdopen(pipe_ends[1], "w");
  const auto reporter = make_reporter(options);
  for (std::size_t i = 0; i < kBatches; ++i) reporter->publish(Event{{}, "", "", event::Batch{}});
  for (std::size_t i = 0; i < kWarnings; ++i) reporter->publish(Event{{}, "", "", event::Warning{"w", ""}});
  reporter->publish(Event{{}, "", "", event::Summary{}});

  std::string text;
  std::thread reader([&] { text = read_to_end(pipe_ends[0]); });
  reporter->finish();
  std::fclose(options.err);
  reader.join();
  close(pipe_ends[0]);

  const std::size_t shown = count_of(text, " batch: range ");
  EXPECT_LT(shown, kBatches);
  EXPECT_EQ(count_of(text, " warning: w\n"), kWarnings);
  const std::string admission =
      "not shown    " + base::format_count(static_cast<std::int64_t>(kBatches - shown)) + " events";
  EXPECT_TRUE(contains(text, admission)) << text.substr(text.size() - 300);
}

TEST(Reporter, OutlivesAReaderThatHasGoneAway) {
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  close(pipe_ends[0]);
  std::FILE* writer = fdopen(pipe_ends[1], "w");
  const auto reporter = make_reporter(json_to(writer));
  reporter->publish(sample_event(event::Summary{}));
  reporter->finish();  // SIGPIPE would have ended this process
  setvbuf(writer, nullptr, _IONBF, 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  std::fclose(writer);
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace pgsluice::report
