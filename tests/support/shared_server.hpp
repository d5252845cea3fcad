#pragma once

#include <string>

#include "support/private_server.hpp"

namespace pgsluice::test {

/// The one server that the tests of a binary share: started by the first that asks, gone at exit. A test that
/// stops it, kills it or changes its settings takes a PrivateServer instead.
class SharedServer {
 public:
  static PrivateServer& get();
};

/// A new, empty database on the shared server; its connection string. One per test: nothing needs cleaning
/// up.
std::string fresh_database();

}  // namespace pgsluice::test
