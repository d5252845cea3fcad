#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "pg/trial.hpp"

namespace pgsluice::test {

/// What a run can have in work on the server, each as long as the test wants.
enum class Work {
  kSql,
  kVerify,
  kFill,
  kIndex,
  kRetypeColumn,  // from here on the parts of a retype
  kRetypeIndex,
  kRetypeVacuum,
  kRetypeProof,
  kRetypeCutOver
};
std::vector<Work> all_works();
std::string name_of(Work work);

/// A job whose work of one kind does not end before release(). Confined to the test's thread.
class HeldWork {
 public:
  /// REQUIRES: `server` outlives it.
  HeldWork(PrivateServer& server, Work work);

  /// Starts a run and returns when the work is in flight.
  std::unique_ptr<Process> start(const std::vector<std::string>& args = {});
  /// Starts it with the work let through.
  std::unique_ptr<Process> start_released(const std::vector<std::string>& args = {});
  /// Starts a retype to UUID of the table and of a child, and returns when it waits for a transaction that
  /// began before the parent was filled. REQUIRES: a retype.
  std::unique_ptr<Process> start_at_fence(const std::vector<std::string>& args);
  /// The same as start() of another verb, whose statements like `pattern` are held.
  std::unique_ptr<Process> start_verb(const std::string& verb, const std::string& pattern,
                                      const std::vector<std::string>& args = {});
  void release();
  /// Another session holds the table, or its rows, from now on.
  void lock();
  void unlock();

  /// Server processes of the program; those of its statement.
  std::int64_t backends();
  std::int64_t at_work();
  /// One of them waits for a lock, or for a standby.
  bool is_waiting_for(const std::string& wait);
  void await_no_backend(std::chrono::milliseconds deadline);
  /// pg_cancel_backend on what is at work, as a superuser would; how many there were.
  std::int64_t cancel_at_work();
  /// Every run's row is closed.
  bool are_runs_closed();
  /// The job ends well when nothing is in its way any more.
  void expect_rest();

  Trial& trial() { return trial_; }

 private:
  /// The work, and statements like `pattern` unless it is empty.
  void hold(const std::string& pattern);
  std::unique_ptr<Process> start_rehearsed(const std::vector<std::string>& args);

  Work work_;
  Trial trial_;
  Db watcher_;
  Db gate_;    // holds the advisory lock that the work waits for
  Db locker_;  // an application
};

}  // namespace pgsluice::test
