#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "support/db.hpp"
#include "support/process.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::test {

using Settings = std::map<std::string, std::string>;  // as in postgresql.conf, values unquoted

/// How a server is told to end. Fast: sessions are ended, then a checkpoint. Immediate: as after a crash.
enum class Stop { kSmart, kFast, kImmediate };

struct ServerOptions {
  bool tcp = false;     // listen on a free port of 127.0.0.1 too, for proxies and poolers
  bool fsync = false;   // costs time and proves nothing about killed processes; on for benchmarks
  Settings settings{};  // laid over the defaults
};

/// A PostgreSQL server in a temporary folder: a direct child of this process, so that killing and restarting
/// it is reliable, on a unix socket. Superuser `postgres`, trust authentication. Gone with its folder when
/// this object is, and with this process however that ends. Externally synchronised; start it from the test's
/// own thread.
class Server {
 public:
  virtual ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Connection string over the unix socket, and over 127.0.0.1 (REQUIRES: ServerOptions::tcp).
  std::string dsn(const std::string& database = "postgres", const std::string& user = "postgres") const;
  std::string tcp_dsn(const std::string& database = "postgres", const std::string& user = "postgres") const;
  Db connect(const std::string& database = "postgres") const { return Db(dsn(database)); }

  const std::filesystem::path& socket_folder() const noexcept { return folder_.path(); }
  int port() const noexcept { return port_; }
  std::filesystem::path socket_path() const { return folder_.path() / (".s.PGSQL." + std::to_string(port_)); }
  std::filesystem::path data_folder() const { return folder_.path() / "data"; }

  /// Starts it and waits until it answers; throws with its log when it does not within kPatience.
  void start();
  void stop(Stop how = Stop::kFast);
  void restart(Stop how = Stop::kFast);

  /// As a power cut, but for what the kernel has: SIGKILL to the postmaster and to every backend; all are
  /// gone when this returns. start() recovers.
  void kill_hard();
  void crash_and_restart();

  /// SIGSTOP and SIGCONT for the postmaster and every process of it.
  void freeze();
  void thaw();

  bool running() { return postmaster_ != nullptr && postmaster_->running(); }
  pid_t postmaster_pid() const { return postmaster_->pid(); }

  /// ALTER SYSTEM SET and reload; new connections see the value when this returns, open ones a moment later.
  void set(const std::string& name, const std::string& value);

  std::filesystem::path log_path() const { return folder_.path() / "log"; }
  std::string log_text() const { return read_file(log_path()); }

 protected:
  explicit Server(const ServerOptions& options);

  /// Appends to postgresql.conf, after the data folder was made.
  void configure(const Settings& settings);
  Settings base_settings() const;

 private:
  void await_ready();
  void remove_shared_memory() const;

  TempFolder folder_{Owner::kServer};
  ServerOptions options_;
  int port_;
  std::unique_ptr<Process> postmaster_;
};

/// A port of 127.0.0.1 that nobody listens on at this moment.
int free_port();

}  // namespace pgsluice::test
