#include "support/shared_server.hpp"

namespace pgsluice::test {

PrivateServer& SharedServer::get() {
  static PrivateServer server;
  return server;
}

std::string fresh_database() {
  return SharedServer::get().fresh_database();
}

}  // namespace pgsluice::test
