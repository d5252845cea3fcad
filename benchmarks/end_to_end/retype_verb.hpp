#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// A verb of the program, as it went.
struct Said {
  std::chrono::system_clock::time_point from, to;
  std::string output;  // events

  double seconds() const { return std::chrono::duration<double>(to - from).count(); }

  /// How long the application was locked out, as the last event that tells it says. Throws if none does.
  double locked_ms() const;

  /// Attempts that gave their locks back: why, in words.
  std::vector<std::string> retries() const;
};

/// Runs the program of this build to its end. Throws with its output unless that is `code`.
Said say(const std::vector<std::string>& words, const std::string& dsn, int code = 0);

}  // namespace pgsluice::bench
