#pragma once

#include <stdexcept>

namespace pgsluice::bench {

/// An arm that cannot do this work, and says so: no failure of the measurement.
class NotAvailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace pgsluice::bench
