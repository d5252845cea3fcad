#include "support/replica.hpp"

#include "support/server_user.hpp"

namespace pgsluice::test {

Replica::Replica(Server& primary, const ReplicaOptions& options)
    : Server(options.server), primary_(primary), name_(options.application_name) {
  copy_primary();
  configure(base_settings());
  start();
  await_streaming();
}

void Replica::copy_primary() {
  Command copy{postgres_program("pg_basebackup"),
               {"-D", data_folder(), "-d", primary_.dsn() + " application_name=" + name_, "-R", "-X",
                "stream", "-c", "fast", "--no-sync"}};
  copy.owner = Owner::kServer;
  copy.folder = socket_folder();
  run_ok(copy);
}

/// An idle replica reports only every 10 s, so it is given something to report: else its row shows no
/// position.
void Replica::await_streaming() {
  Db db = primary_.connect();
  const auto sql =
      "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'"
      " AND replay_lsn IS NOT NULL AND application_name = '" +
      name_ + "'";
  db.exec("SELECT pg_logical_emit_message(true, '', '')");
  wait_for([&] { return db.yes(sql); }, "replica " + name_ + " to stream");
}

void Replica::await_caught_up() {
  const auto target = primary_.connect().text("SELECT pg_current_wal_flush_lsn()");
  Db db = connect();
  const auto sql = "SELECT coalesce(pg_last_wal_replay_lsn() >= '" + target + "', false)";
  wait_for([&] { return db.yes(sql); }, "replica " + name_ + " to replay " + target);
}

void Replica::pause_replay() {
  Db db = connect();
  db.exec("SELECT pg_wal_replay_pause()");
  wait_for([&] { return db.text("SELECT pg_get_wal_replay_pause_state()") == "paused"; },
           "replay to stand still");
}

void Replica::resume_replay() {
  connect().exec("SELECT pg_wal_replay_resume()");
}

void Replica::stop_receiver() {
  Db db = connect();
  wait_for([&] { return db.yes("SELECT count(*) = 1 FROM pg_stat_wal_receiver"); }, "a walreceiver");
  receiver_ = static_cast<pid_t>(db.number("SELECT pid FROM pg_stat_wal_receiver"));
  ::kill(receiver_, SIGSTOP);
}

void Replica::continue_receiver() {
  ::kill(receiver_, SIGCONT);
}

void Replica::promote() {
  connect().exec("SELECT pg_promote(true, 30)");
}

}  // namespace pgsluice::test
