#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// One style of showing what a run does. Confined to the reporter's thread (in tests, to the test's). The
/// time is passed in, so that nothing here reads a clock. Output that cannot be written is lost without an
/// error: the run matters more than its report.
class Presenter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Presenter() = default;
  virtual void show(const Event& event, TimePoint now) = 0;

  /// Called after each group of events and at least every kTick.
  virtual void tick(TimePoint /*now*/) {}

  /// Called once, after the last event.
  virtual void finish(TimePoint /*now*/) {}

  static constexpr std::chrono::milliseconds kTick{200};  // five repaints a second: as much as the eye needs
};

/// Writes the lines, each with a line feed, in one call and flushes.
inline void write_lines(std::FILE* file, const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace pgsluice::report
