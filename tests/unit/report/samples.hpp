#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// A backfill at its half, nothing wrong.
inline Progress sample_progress() {
  Progress p;
  p.job = "onboarding-completed";
  p.step = "fill";
  p.step_kind = "backfill";
  p.step_number = 2;
  p.step_count = 4;
  p.state = RunState::kRunning;
  p.rows = {2'700'000, 10'000, 0};
  p.rows_expected = 5'000'000;
  p.rows_per_second = 8'412.4;
  p.batch_rows = 1'800;
  p.batch_time = std::chrono::milliseconds(85);
  p.lanes = 4;
  p.lanes_busy = 4;
  p.ranges_left = 7;
  p.signals = {{"replica_lag", 0.4, 2, "s", true, ""},
               {"replica_lag_bytes", 1'258'291, 67'108'864, "bytes", true, ""},
               {"lock_wait", 0, 0.2, "s", true, ""}};
  p.eta = std::chrono::seconds(271);
  p.elapsed = std::chrono::milliseconds(322'000);
  return p;
}

inline Progress held_progress() {
  Progress p = sample_progress();
  p.state = RunState::kHeld;
  p.pace = 0;
  p.rows_per_second = 0;
  p.hold_reason = "replica r1 is 3.1 s behind, the limit is 2 s";
  return p;
}

inline event::Summary sample_summary() {
  event::Summary s;
  s.outcome = "done";
  s.rows = {4'990'000, 10'000, 0};
  s.batches = 2'790;
  s.retries = 3;
  s.splits = 12;
  s.duration_s = 594.2;
  s.held_s = 12.3;
  s.batch_p50_s = 0.085;
  s.batch_p95_s = 0.140;
  s.batch_p99_s = 0.210;
  s.batch_max_s = 0.312;
  s.lag_max_s = 1.8;
  s.rows_per_second = 8'414.7;
  return s;
}

/// 2026-11-21T10:00:00.125Z
inline Event sample_event(EventBody body) {
  const auto at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(10) +
                  std::chrono::milliseconds(125);
  return {at, "onboarding-completed", "6f1c0a52-0000-4000-8000-000000000001", std::move(body)};
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

/// A file in memory.
class Capture {
 public:
  Capture() : file_(open_memstream(&text_, &size_)) {}
  ~Capture() {
    std::fclose(file_);
    std::free(text_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::FILE* file() const { return file_; }
  std::string text() const {
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

inline std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace pgsluice::report
