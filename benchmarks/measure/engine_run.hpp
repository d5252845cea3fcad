#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::bench {

/// A job of one backfill or purge step. Without `rows` the batches are sized as for everybody.
struct EngineJob {
  std::string table;
  std::string set;  // column = "expression", as in a job file
  std::string where{};
  int lanes = 1;
  std::int64_t rows = 0;   // above 0: every batch takes as many
  std::string walk{};      // empty: the program's own choice
  std::string purge{};     // not empty: lines of a purge step, which sets nothing
  std::string throttle{};  // lines of [throttle]; empty: its defaults
  std::map<std::string, std::string> env{};
};

struct EngineResult {
  double wall_s = 0;  // of the process, from its start to its end
  double step_s = 0;  // of the backfill step
  double cpu_s = 0;
  double peak_mb = 0;  // resident
  std::int64_t rows_changed = 0;
  std::int64_t batches = 0;
  double batch_p50_s = 0;
  double batch_max_s = 0;
  std::vector<std::string> walk_changes{};  // "interleaved, 8 passes to blocks: …", in order
};

/// A committed batch, as the program told it.
struct BatchTold {
  std::chrono::system_clock::time_point at;
  std::int64_t range_id = 0;
  std::int64_t rows = 0;
  double seconds = 0;  // of its transaction
};

/// The job file of it; its step is called "fill".
std::string job_file(const EngineJob& job);

/// The walk that the program plans for it, with its reason. Empty when it refuses the job.
std::string planned_walk(const std::string& dsn, const EngineJob& job);

/// The program of this build, at work on a job of its own. Killed by the destructor when it still runs.
class EngineRun {
 public:
  EngineRun(const std::string& dsn, const EngineJob& job,
            const std::vector<std::string>& more_arguments = {});

  /// False once it has ended. Looks at its memory on the way: to be called often.
  bool running();
  std::chrono::system_clock::time_point started_at() const { return started_at_; }

  /// Batches until now.
  std::vector<BatchTold> batches() const;

  /// Ranges that it took over from a run that is gone, until now.
  std::vector<std::int64_t> ranges_taken_over() const;

  /// SIGKILL, and reaped when this returns.
  void kill() { process_->kill(); }

  /// Waits for its end. Throws NotAvailable when it refuses the job, with its words, and std::runtime_error
  /// with its output when it fails.
  EngineResult finish();

 private:
  test::TempFolder folder_;
  std::chrono::system_clock::time_point started_at_;
  std::chrono::steady_clock::time_point began_;
  double children_cpu_before_ = 0;
  double peak_mb_ = 0;
  std::unique_ptr<test::Process> process_;
};

}  // namespace pgsluice::bench
