#pragma once

#include <string>
#include <vector>

#include "pgsluice/error.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Collects what preflight finds. Not thread-safe.
class Findings {
 public:
  void refuse(const std::string& check, const std::string& message, const std::string& hint,
              ExitCode code = ExitCode::kRefused);
  void refuse(const std::string& check, const Error& error) {
    refuse(check, error.what(), error.hint(), error.code());
  }
  void warn(const std::string& check, const std::string& message, const std::string& hint);
  void inform(const std::string& check, const std::string& message, const std::string& hint = {});

  /// Worst first, else in the order found; duplicates count once.
  std::vector<Finding> worst_first() const;

 private:
  void add(Finding finding);

  std::vector<Finding> all_;
};

}  // namespace pgsluice::engine
