#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "support/db.hpp"
#include "support/private_server.hpp"
#include "support/process.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::test {

using Json = nlohmann::json;

/// What a program said of why it ended, as it tells programs (--json).
struct Refusal {
  int code = 0;
  std::string message;
  std::string hint;
};

/// A job on a database of its own, run by the real program. Confined to the test's thread.
class Trial {
 public:
  /// On the shared server.
  Trial();
  /// REQUIRES: `server` outlives it.
  explicit Trial(PrivateServer& server);

  Db& db() { return db_; }
  const std::string& database() const { return database_; }
  PrivateServer& server() { return server_; }

  /// Connection string of the superuser, and of a role.
  std::string dsn(const std::string& role = "postgres") const { return server_.dsn(database_, role); }
  /// What the program connects with from now on; the superuser's dsn before.
  void connect_as(const std::string& dsn) { program_dsn_ = dsn; }

  /// A role of this test's own that may log in, with pg_monitor unless said otherwise; returns its name.
  std::string make_role(const std::string& suffix, bool is_monitor = true);

  /// The job file that the verbs take from now on.
  void job(const std::string& toml);
  void job_file(const std::filesystem::path& path) { job_ = path; }

  /// "pgsluice VERB JOB ARGS… --dsn …", with --json unless the verb's text is asked for. `contract` without
  /// ARGS is given the operator's word, --yes --unproven.
  Command command(const std::string& verb, const std::vector<std::string>& args = {}) const;
  Command text_command(const std::string& verb, const std::vector<std::string>& args = {}) const;
  Finished run(const std::vector<std::string>& args = {}) const;
  Finished verb(const std::string& verb, const std::vector<std::string>& args = {}) const;

  /// True when the database holds no trace of us.
  bool is_untouched();

  /// Events of one type in the job's log, oldest first.
  std::vector<Json> logged(const std::string& type);

 private:
  PrivateServer& server_;
  std::string database_;
  std::string program_dsn_;
  Db db_;
  TempFolder folder_;
  std::filesystem::path job_;
};

/// The error that the program wrote for programs; fails the test when there is none.
Refusal refusal_of(const Finished& finished);

/// The lines of `out` that are events of this type.
std::vector<Json> events_of(const std::string& out, const std::string& type);
/// The run's last event.
Json summary_of(const Finished& finished);

/// A job of one backfill step: `settings` are lines before the step, `rest` lines of it.
std::string backfill_job(const std::string& table, const std::string& set, const std::string& rest = {},
                         const std::string& settings = {});

/// Until the program has committed batches of the job's backfill and goes on with it.
void await_batches(Trial& trial, int count = 1);

/// Sends SIGKILL, and waits until the server has noticed: no session of the program is left.
void kill_program(Trial& trial, Process& process);

}  // namespace pgsluice::test
