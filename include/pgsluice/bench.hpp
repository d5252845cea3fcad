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
  bool on_copy = false;  // else on the real table, each batch rolled back
  std::chrono::seconds duration{300};
  std::vector<std::int64_t> sizes{200, 1'000, 3'000, 10'000};  // rows of a batch
  std::vector<int> lanes{1, 2, 4};
  std::vector<Walk> walks;  // empty: every walk that the step can take and that can be shown
  int repeat = 3;
  std::string traffic;                // a pgbench script that runs beside the trials; empty: none
  std::optional<std::uint64_t> seed;  // of the trials' order; drawn unless given
};

/// What one trial is about.
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

/// What the trials of one setting showed. Disturbed trials do not count, but are told of.
struct BenchFigures {
  BenchSetting setting;
  Spread rows_per_second;  // rows changed
  Spread batch_p50_ms;     // of full batches, from BEGIN to the answer of the last statement
  Spread batch_p95_ms;
  Spread batch_p99_ms;
  Spread wal_bytes_per_row;    // of a row changed, as the three below
  Spread heap_bytes_per_row;   // that the heap grew
  Spread index_bytes_per_row;  // that all indexes grew
  Spread cpu_us_per_row;       // of the lanes' own server processes
  Spread hot_percent;          // of the updates
  Spread others_p50_ms;        // what the traffic saw
  Spread others_p99_ms;
  int trials = 0;                    // that count
  std::vector<std::string> remarks;  // why others do not
};

/// What a bench found. A value.
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
  Spread others_alone_p50_ms;  // what the traffic sees when we do not work
  Spread others_alone_p99_ms;
  std::vector<BenchFigures> figures;  // by walk, lanes, rows
  std::optional<std::size_t> winner;  // place in `figures`
  std::string verdict;                // why that one, or why none
  std::string advice;                 // lines to paste into the job file; empty without a winner
  std::vector<std::string> methods;   // how each figure was got
  std::vector<std::string> notes;     // what the figures cannot show, and what the bench left behind
  std::vector<std::string> left_out;
  std::string ended_early;  // why; empty: it did not
};

/// Sweeps batch sizes, lanes and walks over a backfill step of the job. Connects by itself, blocks until it
/// is over, which SIGINT or SIGTERM hasten: then the report holds what was found until then. On the real
/// table nothing of the ledger is written and every batch is rolled back; on a copy, schema pgsluice_bench
/// and the trials' rows of the ledger are gone at the end. `tell` gets a line for each trial, on the caller's
/// thread. Throws Error when nothing could be measured.
BenchReport run_bench(const std::string& dsn, const Job& job, const BenchOptions& options,
                      const std::function<void(const std::string&)>& tell);

/// The report for people: table with the winner marked, verdict, advice, methods, notes. Pure.
std::vector<std::string> bench_lines(const BenchReport& report, bool color);
/// One line a setting under a header (RFC 4180); what is not known is empty. Pure.
std::string bench_csv(const BenchReport& report);
/// The same for programs, as one document. Pure.
std::string bench_json(const BenchReport& report);
/// The same as one page with plots that needs no network, in light and dark. Pure.
std::string bench_html(const BenchReport& report);

}  // namespace pgsluice
