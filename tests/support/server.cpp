#include "support/server.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "support/server_user.hpp"

namespace pgsluice::test {

namespace {

constexpr int kSocketPort = 5432;  // each server has a socket folder of its own, so all can share it
constexpr std::chrono::seconds kQuitPatience{5};  // an immediate stop takes milliseconds

/// Quotes a value of postgresql.conf.
std::string quoted(const std::string& value) {
  std::string result = "'";
  for (const char c : value) result += (c == '\'') ? std::string("''") : std::string(1, c);
  return result + "'";
}

int stop_signal(Stop how) {
  switch (how) {
    case Stop::kSmart:
      return SIGTERM;
    case Stop::kFast:
      return SIGINT;
    case Stop::kImmediate:
      break;
  }
  return SIGQUIT;
}

}  // namespace

Server::Server(const ServerOptions& options)
    : options_(options), port_(options.tcp ? free_port() : kSocketPort) {}

Server::~Server() {
  if (running()) {
    thaw();
    postmaster_->signal(SIGQUIT);
    try {
      postmaster_->wait(kQuitPatience);
    } catch (const std::exception&) {
      kill_hard();  // a destructor has nobody to tell
    }
  }
  remove_shared_memory();
}

std::string Server::dsn(const std::string& database, const std::string& user) const {
  return "host=" + folder_.path().string() + " port=" + std::to_string(port_) + " dbname=" + database +
         " user=" + user;
}

std::string Server::tcp_dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=" + database + " user=" + user +
         " sslmode=disable gssencmode=disable";
}

Settings Server::base_settings() const {
  Settings result{
      {"listen_addresses", options_.tcp ? "127.0.0.1" : ""},
      {"port", std::to_string(port_)},
      {"unix_socket_directories", folder_.path().string()},
      {"fsync", options_.fsync ? "on" : "off"},
      {"full_page_writes", options_.fsync ? "on" : "off"},
      {"shared_buffers", "64MB"},
      {"max_wal_size", "2GB"},                   // no checkpoint in the middle of a measurement
      {"wal_keep_size", "1GB"},                  // a stopped replica finds its WAL again without a slot
      {"wal_retrieve_retry_interval", "100ms"},  // 5 s by default: the longest wait of a replica test
      {"dynamic_shared_memory_type", "mmap"},    // its files go with the data folder, also after SIGKILL
      {"log_line_prefix", "%m [%p] %q%a "},
      {"cluster_name", folder_.path().filename().string()},
  };
  for (const auto& [name, value] : options_.settings) result[name] = value;
  return result;
}

void Server::configure(const Settings& settings) {
  std::ofstream file(data_folder() / "postgresql.conf", std::ios::app);
  for (const auto& [name, value] : settings) file << name << " = " << quoted(value) << "\n";
}

void Server::start() {
  Command command{postgres_program("postgres"), {"-D", data_folder()}};
  command.owner = Owner::kServer;
  command.folder = folder_.path();
  command.log = log_path();
  command.death_signal = SIGQUIT;  // the postmaster then takes its children with it
  postmaster_ = std::make_unique<Process>(command);
  await_ready();
}

void Server::await_ready() {
  const auto answers = [this] {
    if (!running()) throw std::runtime_error("the server ended while it started:\n" + log_text());
    return PQping(dsn().c_str()) == PQPING_OK;
  };
  try {
    wait_for(answers, "the server to answer");
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + log_text());
  }
}

void Server::stop(Stop how) {
  postmaster_->signal(stop_signal(how));
  postmaster_->wait();
}

void Server::restart(Stop how) {
  stop(how);
  start();
}

void Server::kill_hard() {
  postmaster_->signal(SIGSTOP);  // so that it forks nobody whom we would miss
  const auto children = children_of(postmaster_->pid());
  postmaster_->kill();
  for (const pid_t child : children) ::kill(child, SIGKILL);
  for (const pid_t child : children) {
    wait_for([child] { return !is_alive(child); }, "the end of backend " + std::to_string(child));
  }
}

void Server::crash_and_restart() {
  kill_hard();
  start();
}

void Server::freeze() {
  postmaster_->signal(SIGSTOP);
  for (const pid_t child : children_of(postmaster_->pid())) ::kill(child, SIGSTOP);
}

void Server::thaw() {
  for (const pid_t child : children_of(postmaster_->pid())) ::kill(child, SIGCONT);
  postmaster_->signal(SIGCONT);
}

void Server::set(const std::string& name, const std::string& value) {
  Db db = connect();
  const auto before = db.text("SELECT pg_conf_load_time()");
  db.exec("ALTER SYSTEM SET " + name + " = " + quoted(value));
  db.exec("SELECT pg_reload_conf()");
  wait_for([&] { return connect().text("SELECT pg_conf_load_time()") != before; }, "the new configuration");
}

/// A killed postmaster leaves its System V segment behind, and their number is limited on the machine.
void Server::remove_shared_memory() const {
  std::ifstream file(data_folder() / "postmaster.pid");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    unsigned long key = 0;
    int id = 0;
    const bool found = number == 7 && std::sscanf(line.c_str(), "%lu %d", &key, &id) == 2;
    if (found) shmctl(id, IPC_RMID, nullptr);
  }
}

int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  const bool bound = bind(listener, generic, length) == 0 && getsockname(listener, generic, &length) == 0;
  close(listener);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

}  // namespace pgsluice::test
