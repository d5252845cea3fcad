#pragma once

#include <exception>

namespace pgsluice::engine {

/// The run's first failure, noted as soon as it is known: this is the cause that counts. Confined to the io
/// thread.
class FirstFailure {
 public:
  void note(const std::exception_ptr& error) {
    if (!error_) error_ = error;
  }
  /// nullptr if nothing has failed.
  const std::exception_ptr& error() const { return error_; }

 private:
  std::exception_ptr error_;
};

}  // namespace pgsluice::engine
