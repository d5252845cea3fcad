#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::bench {

/// A server process as the server itself tells of it.
struct Backend {
  int pid = 0;
  double started_at = 0;  // seconds since 1970
};

/// The server processes of sessions whose application_name starts with `prefix`. Throws Failure.
std::vector<Backend> read_backends(pg::Session& session, const std::string& prefix);

/// CPU time of server processes, read from /proc: known only if they run on this host, under the numbers that
/// the server gives, and only of those that were looked at. Confined to one thread.
class ServerCpu {
 public:
  /// Counts these, if they are the processes that the server means: from now on, or what they have used since
  /// they started.
  enum class From { kNow, kStart };
  void watch(const std::vector<Backend>& backends, From from);
  /// Reads how much they have used until now. A process that has ended keeps its last reading.
  void look();
  /// Of all that are watched, in seconds; nothing if none could be read.
  std::optional<double> seconds() const;

 private:
  struct Reading {
    double first_s = 0;
    double last_s = 0;
  };
  std::map<int, Reading> readings_;
};

}  // namespace pgsluice::bench
