#pragma once

#include <string>

#include "support/server.hpp"

namespace pgsluice::test {

struct ReplicaOptions {
  std::string application_name = "replica1";  // its name in the primary's pg_stat_replication
  ServerOptions server{};
};

/// A streaming replica, made by pg_basebackup; it streams when the constructor returns. The primary must
/// outlive it.
class Replica : public Server {
 public:
  explicit Replica(Server& primary, const ReplicaOptions& options = {});

  /// Until the primary shows it as streaming, with a position.
  void await_streaming();

  /// Until it has replayed everything that the primary has written at this moment.
  void await_caught_up();

  /// Replay stands still or goes on; WAL is received all the same.
  void pause_replay();
  void resume_replay();

  /// SIGSTOP and SIGCONT for the walreceiver: nothing is received and nothing reported, the connection stays.
  void stop_receiver();
  void continue_receiver();

  /// Makes it a primary and waits until it takes writes.
  void promote();

 private:
  void copy_primary();

  Server& primary_;
  std::string name_;
  pid_t receiver_ = 0;
};

}  // namespace pgsluice::test
