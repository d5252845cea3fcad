#pragma once

#include <cstdio>
#include <memory>

#include "pgsluice/event.hpp"

namespace pgsluice {

/// How a run shows what it does. Progress goes to stderr, JSON lines and results to stdout.
enum class ReportStyle {
  kLive,   // repainted view on a terminal
  kLines,  // one line every 30 s and on every change of state
  kJson,   // one event per line on stdout, the last one is "summary"
  kQuiet,  // the summary only
};

/// kJson if asked for, else kLive when stderr is a terminal (and TERM is not dumb), else kLines.
ReportStyle choose_report_style(bool json_wanted, bool quiet_wanted);

/// True when stderr is a terminal that takes colour and NO_COLOR is not set (or empty).
bool choose_color();

struct ReportOptions {
  ReportStyle style = ReportStyle::kLines;
  bool color = false;        // kLive only; see choose_color()
  bool log_batches = false;  // kJson: batch events too; kLines: one line per batch
  std::FILE* out = stdout;   // both must outlive the reporter
  std::FILE* err = stderr;
};

/// An EventSink with its own printing thread; that thread takes no OS signals, and a reader that has gone
/// away does not end the run. Several runs may use one reporter one after the other, each ending with its
/// Summary. finish() drains the queue, prints the rest and joins; the destructor calls it. Owned by the
/// command; must outlive the engine that publishes into it.
class Reporter : public EventSink {
 public:
  /// Blocks until everything is printed. Calling it again does nothing.
  virtual void finish() = 0;
};

/// Starts its thread. Throws nothing that is not std::system_error.
std::unique_ptr<Reporter> make_reporter(const ReportOptions& options);

}  // namespace pgsluice
