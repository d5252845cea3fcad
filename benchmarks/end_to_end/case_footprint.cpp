// Memory and CPU of pgsluice itself, at two sizes of table.

#include <iostream>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "measure/process_cost.hpp"
#include "measure/users_table.hpp"

namespace pgsluice::bench {
namespace {

constexpr double kPeakMax = 40;     // MB
constexpr double kCpuShareMax = 5;  // per cent of the server's

struct Measured {
  Figures peak_mb, own_cpu, server_cpu, cpu_percent, batches;
};

Measured measure(BenchServer& server, const std::string& template_name, int trials) {
  Measured measured;
  for (int i = 0; i < trials; ++i) {
    auto trial = server.trial(template_name);
    const auto postmaster = server.server().postmaster_pid();
    const double before = cpu_seconds_of_family(postmaster);
    EngineRun run(trial.dsn(), users_job(2));
    const auto result = run.finish();
    const double of_server = cpu_seconds_of_family(postmaster) - before;
    measured.peak_mb.add(result.peak_mb);
    measured.own_cpu.add(result.cpu_s);
    measured.server_cpu.add(of_server);
    measured.cpu_percent.add(100 * result.cpu_s / of_server);
    measured.batches.add(static_cast<double>(result.batches));
    std::cerr << template_name << ": " << result.peak_mb << " MB, " << result.cpu_s << " s of " << of_server
              << " s\n";
  }
  return measured;
}

}  // namespace

std::string case_footprint(const Options& options, std::mt19937_64&) {
  MarkdownTable table({"rows", "resident peak MB", "own CPU s", "server's CPU s", "own in % of the server's",
                       "batches", "below 40 MB", "below 5 %"});
  BenchServer server(options);
  for (const std::int64_t rows : {std::int64_t{100'000}, options.rows(5'000'000)}) {
    const auto name = "users_" + std::to_string(rows);
    server.make_template(name, users_sql(rows, false));
    const auto m = measure(server, name, options.trials(5, 3));
    table.add({std::to_string(rows), m.peak_mb.text(1), m.own_cpu.text(2), m.server_cpu.text(2),
               m.cpu_percent.text(1), m.batches.text(0), verdict(m.peak_mb.max() < kPeakMax),
               verdict(m.cpu_percent.median() < kCpuShareMax)});
  }
  return "## footprint: two lanes\n\n" + table.text() +
         "\nPeak is VmHWM of the process. The server's CPU is that of all its processes, ended ones too.\n";
}

}  // namespace pgsluice::bench
