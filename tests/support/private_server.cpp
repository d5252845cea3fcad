#include "support/private_server.hpp"

#include "support/server_user.hpp"

namespace pgsluice::test {

PrivateServer::PrivateServer(const ServerOptions& options) : Server(options) {
  Command initdb{
      postgres_program("initdb"),
      {"-D", data_folder(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"}};
  initdb.env = {{"TZ", "UTC"}};  // else initdb compares hundreds of zone files with the machine's
  initdb.owner = Owner::kServer;
  initdb.folder = socket_folder();
  run_ok(initdb);
  configure(base_settings());
  start();
}

std::string PrivateServer::create_database(const std::string& name) {
  connect().exec("CREATE DATABASE \"" + name + "\"");
  return dsn(name);
}

std::string PrivateServer::fresh_database() {
  return create_database("test_" + std::to_string(++databases_));
}

}  // namespace pgsluice::test
