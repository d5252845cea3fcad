#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::bench {

/// A server process as the server itself reports it.
struct Backend {
  int pid = 0;
  double started_at = 0;  // seconds since 1970
};

/// The server processes of sessions whose application_name starts with `prefix`. Throws Failure.
std::vector<Backend> read_backends(pg::Session& session, const std::string& prefix);

/// CPU time of server processes, read from /proc: known only if they run on this host, under the process ids
/// that the server reports, and only for those that were read. Confined to one thread.
class ServerCpu {
 public:
  /// Counts these processes if they are the ones that the server means: from now on, or since they started.
  enum class From { kNow, kStart };
  void watch(const std::vector<Backend>& backends, From from);
  /// Reads how much they have used so far. A process that has ended keeps its last reading.
  void look();
  /// Total of all watched processes, in seconds; nullopt if none could be read.
  std::optional<double> seconds() const;

 private:
  struct Reading {
    double first_s = 0;
    double last_s = 0;
  };
  std::map<int, Reading> readings_;
};

}  // namespace pgsluice::bench
