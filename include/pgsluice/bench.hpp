#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice {

/// What `bench` tries.
struct BenchOptions {
  std::string step;      // empty: the job's only backfill step
  bool on_copy = false;  // false: on the real table, each batch rolled back
  std::chrono::seconds duration{300};
  std::vector<std::int64_t> sizes{200, 1'000, 3'000, 10'000};  // rows of a batch
  std::vector<int> lanes{1, 2, 4};
  std::vector<Walk> walks;  // empty: every walk that the step allows and that can be measured
  int repeat = 3;
  std::string traffic;                // a pgbench script to run during the trials; empty: none
  std::optional<std::uint64_t> seed;  // for the order of the trials; random unless given
};

/// The setting that one trial measures.
struct BenchSetting {
  Walk walk = Walk::kKeyset;
  int lanes = 1;
  std::int64_t rows = 0;  // of a batch

  bool operator==(const BenchSetting&) const = default;
};

/// The same quantity from repeated trials. Not a mean: one disturbed trial must not move it.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
  int count = 0;  // 0: not known

  bool is_known() const { return count > 0; }
};

/// The results of one setting's trials. Disturbed trials do not count, but are listed in `remarks`.
struct BenchFigures {
  BenchSetting setting;
  Spread rows_per_second;  // rows changed
  Spread batch_p50_ms;     // of full batches, from BEGIN to the answer of the last statement
  Spread batch_p95_ms;
  Spread batch_p99_ms;
  Spread wal_bytes_per_row;    // per row changed, like the three below
  Spread heap_bytes_per_row;   // growth of the heap
  Spread index_bytes_per_row;  // growth of all indexes
  Spread cpu_us_per_row;       // only of the lanes' server processes
  Spread hot_percent;          // of the updates
  Spread others_p50_ms;        // latency of the traffic
  Spread others_p99_ms;
  int trials = 0;                    // that count
  std::vector<std::string> remarks;  // why other trials do not count
};

/// The result of a bench. A value.
struct BenchReport {
  std::string job;
  std::string step;
  std::string table;   // quoted and qualified
  std::string target;  // the database, without secrets
  int server_version = 0;
  bool on_copy = false;
  std::int64_t table_rows = 0;  // estimated
  std::int64_t table_bytes = 0;
  std::int64_t copy_rows = 0;  // of each trial's fresh copy
  std::uint64_t seed = 0;
  double batch_target_ms = 0;
  double trial_s = 0;    // planned for each
  double elapsed_s = 0;  // of everything
  int trials_planned = 0;
  int trials_done = 0;
  double others_rate = 0;      // transactions a second of the traffic; 0: none
  Spread others_alone_p50_ms;  // latency of the traffic without us
  Spread others_alone_p99_ms;
  std::vector<BenchFigures> figures;  // by walk, lanes, rows
  std::optional<std::size_t> winner;  // index into `figures`
  std::string verdict;                // why that one, or why none
  std::string advice;                 // lines to paste into the job file; empty without a winner
  std::vector<std::string> methods;   // how each figure was measured
  std::vector<std::string> notes;     // what the figures cannot show, and what the bench left behind
  std::vector<std::string> left_out;
  std::string ended_early;  // why it ended early; empty: it did not
};

/// Sweeps batch sizes, lanes and walks over a backfill step of the job. Connects by itself, blocks until it
/// is finished; SIGINT or SIGTERM end it early, and then the report contains the results so far. On the real
/// table nothing is written to the ledger and every batch is rolled back; on a copy, schema pgsluice_bench
/// and the trials' rows in the ledger are removed at the end. `tell` gets a line for each trial, on the
/// caller's thread. Throws Error if nothing could be measured.
BenchReport run_bench(const std::string& dsn, const Job& job, const BenchOptions& options,
                      const std::function<void(const std::string&)>& tell);

/// The report for people: table with the winner marked, verdict, advice, methods, notes. Pure.
std::vector<std::string> bench_lines(const BenchReport& report, bool color);
/// One line per setting under a header (RFC 4180); unknown values are empty. Pure.
std::string bench_csv(const BenchReport& report);
/// The same for programs, as one JSON document. Pure.
std::string bench_json(const BenchReport& report);
/// The same as one HTML page with plots that needs no network, light or dark. Pure.
std::string bench_html(const BenchReport& report);

}  // namespace pgsluice
