#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pg/trial.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::test {

enum class CountKey { kBigint, kComposite };

/// Walks that promises are tried on: blocks are the interleaved walk in one pass, so only the long run has
/// both.
std::vector<std::string> walks();

/// A job that says n = n + 1 for every row of a table: each row done twice or left out shows. Its table
/// `counted` has the key `id bigint`, or (tenant text, id bigint) with most rows in one tenant. Confined to
/// the test's thread.
class CountedJob {
 public:
  struct Options {
    CountKey key = CountKey::kBigint;
    int rows = 2'000;
    int batch_rows = 50;          // first and largest
    int batch_rows_min = 50;      // as many: the sizer has no room
    std::string walk = "keyset";  // over blocks rows leave the job's where
    std::string target = "100ms";
    int lanes = 2;
    std::string settings{};     // more tables before the steps
    std::string other_steps{};  // more steps behind the backfill
  };

  CountedJob() : CountedJob(Options{}) {}
  explicit CountedJob(const Options& options);
  /// REQUIRES: `server` outlives it.
  CountedJob(PrivateServer& server, const Options& options);

  Trial& trial() { return *trial_; }
  Db& db() { return trial_->db(); }

  /// Starts a run; every batch is among its events.
  std::unique_ptr<Process> start(const std::vector<std::string>& args = {}) const;
  /// Runs to the end; its exit code must be `code`.
  Finished expect_run(int code, const std::vector<std::string>& args = {}) const;

  /// Gives every batch a length, so that tests meet one: its UPDATE sleeps first. 0: not any more.
  void slow_down(std::chrono::milliseconds batch);

  std::int64_t batches();
  void await_batches(std::int64_t count);

  /// As ORDER BY takes them.
  std::string key_columns() const { return options_.key == CountKey::kBigint ? "id" : "tenant, id"; }

  /// Every row was changed exactly once.
  void expect_exact();
  /// A further run finds nothing to do, changes no row, and leaves no session, lock, trigger or transaction
  /// behind.
  void expect_finished();
  /// Rows with their versions: equal if and only if no row was written in between.
  std::string fingerprint();

 private:
  void make_table();

  Options options_;
  std::unique_ptr<Trial> trial_;
};

/// After a finished job: no session, lock, trigger, transaction or range of ours is left. Triggers named
/// `slow` are a test's.
void expect_nothing_left_behind(Db& db);

/// Complete lines of a program that may still write.
std::string lines_of(const Process& process);

}  // namespace pgsluice::test
