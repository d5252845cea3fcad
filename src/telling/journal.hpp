#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pgsluice/event.hpp"
#include "pgsluice/overview.hpp"

namespace pgsluice::engine {

/// Every event goes through here: at once to the sink and, except for batches, leases and status, into the
/// job's event log with the next flush. Confined to the io thread.
class Journal {
 public:
  /// Entries kept while the ledger cannot be reached; beyond that, the oldest are dropped and counted.
  static constexpr std::size_t kPendingMax = 10'000;

  Journal(EventSink& sink, std::string job, std::string run_id)
      : sink_(sink), job_(std::move(job)), run_id_(std::move(run_id)) {}

  void write(EventBody body);
  void warn(const std::string& message, const std::string& hint = {}) {
    write(event::Warning{message, hint});
  }

  /// The entries that are not in the ledger yet; the caller stores them.
  std::vector<LogEntry> take_pending();
  /// Puts entries back that could not be stored.
  void give_back(std::vector<LogEntry> entries);

 private:
  EventSink& sink_;
  std::string job_;
  std::string run_id_;
  std::vector<LogEntry> pending_;
  std::size_t dropped_ = 0;
};

}  // namespace pgsluice::engine
