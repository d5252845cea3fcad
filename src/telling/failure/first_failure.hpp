#pragma once

#include <exception>

namespace pgsluice::engine {

/// What the run failed by first: the cause that stands, as soon as anything knows of it. Confined to the io
/// thread.
class FirstFailure {
 public:
  void note(const std::exception_ptr& error) {
    if (!error_) error_ = error;
  }
  /// nullptr: nothing has failed.
  const std::exception_ptr& error() const { return error_; }

 private:
  std::exception_ptr error_;
};

}  // namespace pgsluice::engine
