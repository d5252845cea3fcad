#pragma once

#include <atomic>
#include <string>

#include "support/server.hpp"

namespace pgsluice::test {

/// A primary of its own: made by initdb, started, and removed with this object. Ready in about 1.3 s.
class PrivateServer : public Server {
 public:
  explicit PrivateServer(const ServerOptions& options = {});

  /// Makes a database and returns its connection string.
  std::string create_database(const std::string& name);

  /// A new database under a name that nobody else has; its connection string.
  std::string fresh_database();

 private:
  std::atomic<int> databases_{0};
};

}  // namespace pgsluice::test
