#include "support/pgbouncer.hpp"

#include <libpq-fe.h>

#include <stdexcept>

namespace pgsluice::test {

namespace {

constexpr int kPort = 6432;  // names the socket file only: nothing listens on TCP

/// Debian keeps it where the PATH of an ordinary user does not look.
std::string program() {
  const std::string packaged = "/usr/sbin/pgbouncer";
  return std::filesystem::exists(packaged) ? packaged : "pgbouncer";
}

}  // namespace

Pgbouncer::Pgbouncer(const Server& server, const Settings& settings) {
  folder_.write("users", "\"postgres\" \"\"\n");
  Command command{program(), {"-q", folder_.write("ini", configuration(server, settings))}};
  command.owner = Owner::kServer;  // it refuses to run as root
  command.folder = folder_.path();
  command.log = folder_.path() / "log";
  process_ = std::make_unique<Process>(command);
  const auto answers = [this] {
    if (!process_->running()) throw std::runtime_error("pgbouncer ended while it started:\n" + log_text());
    return PQping(dsn().c_str()) == PQPING_OK;
  };
  wait_for(answers, "pgbouncer to answer");
}

std::string Pgbouncer::configuration(const Server& server, const Settings& settings) const {
  Settings all{{"listen_port", std::to_string(kPort)},
               {"unix_socket_dir", folder_.path()},
               {"auth_type", "trust"},
               {"auth_file", (folder_.path() / "users").string()},
               {"pool_mode", "transaction"},
               {"server_round_robin", "1"}};
  for (const auto& [name, value] : settings) all[name] = value;
  std::string text = "[databases]\n* = host=" + server.socket_folder().string() +
                     " port=" + std::to_string(server.port()) + "\n[pgbouncer]\n";
  for (const auto& [name, value] : all) text += name + " = " + value + "\n";
  return text;
}

std::string Pgbouncer::dsn(const std::string& database, const std::string& user) const {
  return "host=" + folder_.path().string() + " port=" + std::to_string(kPort) + " dbname=" + database +
         " user=" + user;
}

std::filesystem::path Pgbouncer::socket_path() const {
  return folder_.path() / (".s.PGSQL." + std::to_string(kPort));
}

}  // namespace pgsluice::test
