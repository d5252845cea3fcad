#pragma once

#include <string>
#include <vector>

#include "job/sql/refusal.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::job {

/// A position in the job file, counted from 1; line 0: none (a command-line flag).
struct Position {
  int line = 0;
  int column = 0;
};

/// Collects all mistakes of one job file, in any order. Externally synchronised.
class Diagnostics {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

  void add(Position where, std::string message, std::string hint);

  /// All of them, sorted by position. Empties the collection.
  std::vector<Diagnostic> take();

 private:
  std::string file_;
  std::vector<Diagnostic> found_;
};

}  // namespace pgsluice::job
