#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "pgsluice/event.hpp"

namespace pgsluice::cli {

/// Passes events on to the reporter, notes whether the summary and a mismatch were among them, and adds to
/// the summary how to continue. Thread-safe, like every EventSink.
class NotingSink final : public EventSink {
 public:
  /// `command_line`: what to run again when work is left; may be empty.
  NotingSink(EventSink& next, std::string command_line)
      : next_(next), command_line_(std::move(command_line)) {}

  void publish(Event event) override;

  bool has_summary() const { return has_summary_; }
  int verified() const { return verified_; }
  int mismatches() const { return mismatches_; }

 private:
  EventSink& next_;
  const std::string command_line_;
  std::atomic<bool> has_summary_{false};
  std::atomic<int> verified_{0};
  std::atomic<int> mismatches_{0};
};

}  // namespace pgsluice::cli
